import {
  AlignCenterHorizontal, AlignCenterVertical, AlignEndHorizontal, AlignEndVertical, AlignStartHorizontal,
  AlignStartVertical, Boxes, Copy, Play, Square, Trash2,
} from "lucide-react";
import { mayOperate } from "../../api/client";
import { runnerApi } from "../../api/runner";
import type { Edge } from "../../document/layout";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { Button, IconButton } from "../../ui/button";
import { attempt } from "../../ui/report";
import { align, duplicateSelected, groupSelected, removeSelected } from "../canvas/commands";

const ALIGN = [
  ["left", AlignStartVertical], ["centre", AlignCenterVertical], ["right", AlignEndVertical],
  ["top", AlignStartHorizontal], ["middle", AlignCenterHorizontal], ["bottom", AlignEndHorizontal],
] as const satisfies readonly (readonly [Edge, unknown])[];

/** Several components at once. */
export function Selection({ ids }: { ids: string[] }) {
  const flow = useDocument((state) => state.flow);
  const live = useLive((state) => state.processors);
  const running = ids.filter((id) => live[id]);
  const all = (command: "start" | "stop") => running.forEach((id) => void attempt(runnerApi.command(flow, id, command)));
  return (
    <>
      <header className="inspector-head"><h2>{ids.length} components</h2></header>
      <div className="panel-body">
        <div className="bar wrap" role="group" aria-label="Align">
          {ALIGN.map(([edge, icon]) => <IconButton key={edge} icon={icon} label={`Align ${edge}`} onClick={() => align(edge)} />)}
        </div>
        <div className="bar wrap">
          <Button icon={Boxes} onClick={groupSelected}>Group</Button>
          <Button icon={Copy} onClick={duplicateSelected}>Duplicate</Button>
          <Button icon={Trash2} onClick={removeSelected}>Delete</Button>
        </div>
        {running.length > 0 && mayOperate && (
          <div className="bar wrap">
            <Button icon={Play} onClick={() => all("start")}>Start</Button>
            <Button icon={Square} onClick={() => all("stop")}>Stop</Button>
          </div>
        )}
        <ul className="plain-list">{ids.map((id) => <li key={id}>{id.split("/").at(-1)}</li>)}</ul>
      </div>
    </>
  );
}
