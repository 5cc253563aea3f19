import { FolderOpen, Play, Square, StepForward, Ungroup } from "lucide-react";
import { mayEdit, mayOperate } from "../../api/client";
import { find } from "../../document/tree";
import type { Body, DrawnKind, Label } from "../../document/types";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { go } from "../../ui/router";
import { ungroupSelected } from "../canvas/commands";
import { command } from "../canvas/running";
import { put, TextRow } from "./row";
import { RenameRow } from "./settings";

/** Groups, ports, funnels and labels. */
export function PartForm({ id, kind }: { id: string; kind: DrawnKind }) {
  const value = useDocument((state) => state.document && (find(state.document, kind, id) as unknown as Body & Label));
  const target = { kind, id } as const;
  if (!value) return null;
  return (
    <form className="form" onSubmit={(event) => event.preventDefault()}>
      {kind === "groups" && <GroupCommands id={id} group={value} />}
      <fieldset disabled={!mayEdit} className="plain">
        {kind === "labels" ? (
          <>
            <TextRow target={target} path={["text"]} title="Text" value={value.text} lines />
            <Colours id={id} colour={value.colour} />
          </>
        ) : (
          <>
            {kind !== "funnels" && <TextRow target={target} path={["name"]} title="Name" value={value.name} initial={id.split("/").at(-1) ?? ""} />}
            <RenameRow kind={kind} id={id} />
            <TextRow target={target} path={["comments"]} title="Comments" value={value.comments} lines />
          </>
        )}
      </fieldset>
    </form>
  );
}

function GroupCommands({ id, group }: { id: string; group: Body }) {
  const running = useLive((live) => live.state === "running");
  const open = () => (group.flow ? go(`flows/${group.flow.replace(/\.json$/, "").replaceAll("/", ".")}`) : useUi.getState().enter(id));
  return (
    <div className="bar wrap">
      <Button icon={FolderOpen} onClick={open}>{group.flow ? `Open ${group.flow}` : "Open"}</Button>
      {!group.flow && mayEdit && <Button icon={Ungroup} onClick={ungroupSelected}>Ungroup</Button>}
      {running && mayOperate && (
        <>
          <Button icon={Play} onClick={() => void command("start", [id])}>Start</Button>
          <Button icon={Square} onClick={() => void command("stop", [id])}>Stop</Button>
          <Button icon={StepForward} onClick={() => void command("run-once", [id])}>Run once</Button>
        </>
      )}
    </div>
  );
}

const COLOURS = { yellow: "#fff7d1", green: "#dcf5e3", blue: "#dfeaff", red: "#ffe1de", grey: "#e8eaef" };

function Colours({ id, colour }: { id: string; colour: string | undefined }) {
  const set = (value: string | null) => put({ kind: "labels", id }, ["colour"], value);
  return (
    <fieldset className="colours">
      <legend className="field-title">Colour</legend>
      {Object.entries(COLOURS).map(([name, value]) => (
        <button key={name} type="button" aria-label={name} title={name} aria-pressed={(colour ?? COLOURS.yellow) === value} style={{ background: value }} onClick={() => set(name === "yellow" ? null : value)} />
      ))}
    </fieldset>
  );
}
