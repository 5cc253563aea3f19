import {
  AlignCenterHorizontal, AlignCenterVertical, AlignEndHorizontal, AlignEndVertical, AlignStartHorizontal,
  AlignHorizontalDistributeCenter, AlignStartVertical, AlignVerticalDistributeCenter, Ban, Boxes, Copy, Play, Power, Square, StepForward, Trash2,
} from "lucide-react";
import { mayEdit, mayOperate } from "../../api/client";
import type { Edge } from "../../document/layout";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { Button, IconButton } from "../../ui/button";
import { align, distribute, duplicateSelected, groupSelected, removeSelected } from "../canvas/commands";
import { command, isDisabled, setDisabled } from "../canvas/running";

const ALIGN = [
  ["left", AlignStartVertical], ["centre", AlignCenterVertical], ["right", AlignEndVertical],
  ["top", AlignStartHorizontal], ["middle", AlignCenterHorizontal], ["bottom", AlignEndHorizontal],
] as const satisfies readonly (readonly [Edge, unknown])[];

const SHARE = [
  ["Distribute from left to right", AlignHorizontalDistributeCenter, 0],
  ["Distribute from top to bottom", AlignVerticalDistributeCenter, 1],
] as const;

/** Several components at once. */
export function Selection({ ids }: { ids: string[] }) {
  const running = useLive((live) => ids.filter((id) => Object.keys(live.processors).some((name) => name === id || name.startsWith(`${id}/`))).length);
  const off = useDocument((state) => !!state.document && isDisabled(state.document, ids));
  return (
    <>
      <header className="inspector-head"><h2>{ids.length} components</h2></header>
      <div className="panel-body">
        {mayOperate && (
          <div className="bar wrap" role="group" aria-label="Run">
            <Button icon={Play} disabled={!running} onClick={() => void command("start", ids)}>Start</Button>
            <Button icon={Square} disabled={!running} onClick={() => void command("stop", ids)}>Stop</Button>
            <Button icon={StepForward} disabled={!running} onClick={() => void command("run-once", ids)}>Run once</Button>
          </div>
        )}
        {mayEdit && (
          <>
            <div className="bar wrap" role="group" aria-label="Align">
              {ALIGN.map(([edge, icon]) => <IconButton key={edge} icon={icon} label={`Align ${edge}`} onClick={() => align(edge)} />)}
              {SHARE.map(([label, icon, axis]) => <IconButton key={axis} icon={icon} label={label} disabled={ids.length < 3} onClick={() => distribute(axis)} />)}
            </div>
            <div className="bar wrap">
              <Button icon={Boxes} onClick={groupSelected}>Group</Button>
              <Button icon={Copy} onClick={duplicateSelected}>Duplicate</Button>
              <Button icon={off ? Power : Ban} onClick={() => setDisabled(ids, !off)}>{off ? "Enable" : "Disable"}</Button>
              <Button icon={Trash2} onClick={removeSelected}>Delete</Button>
            </div>
          </>
        )}
        <ul className="plain-list">{ids.map((id) => <li key={id}>{id.split("/").at(-1)}</li>)}</ul>
      </div>
    </>
  );
}
