import { FolderOpen, Play, Square, Ungroup } from "lucide-react";
import { mayOperate } from "../../api/client";
import { runnerApi } from "../../api/runner";
import { find } from "../../document/tree";
import type { Body, DrawnKind, Label } from "../../document/types";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { attempt } from "../../ui/report";
import { go } from "../../ui/router";
import { ungroupSelected } from "../canvas/commands";
import { TextRow } from "./row";
import { RenameRow } from "./settings";

/** Groups, ports, funnels and labels. */
export function PartForm({ id, kind }: { id: string; kind: DrawnKind }) {
  const value = useDocument((state) => state.document && (find(state.document, kind, id) as unknown as Body & Label));
  const target = { kind, id } as const;
  if (!value) return null;
  return (
    <form className="form" onSubmit={(event) => event.preventDefault()}>
      {kind === "groups" && <GroupCommands id={id} group={value} />}
      {kind === "labels" ? (
        <>
          <TextRow target={target} path={["text"]} title="Text" value={value.text} lines />
          <TextRow target={target} path={["colour"]} title="Colour" value={value.colour} help="Such as #fff7d1." />
        </>
      ) : (
        <>
          {kind !== "funnels" && <TextRow target={target} path={["name"]} title="Name" value={value.name} initial={id.split("/").at(-1) ?? ""} />}
          <RenameRow kind={kind} id={id} />
          <TextRow target={target} path={["comments"]} title="Comments" value={value.comments} lines />
        </>
      )}
    </form>
  );
}

function GroupCommands({ id, group }: { id: string; group: Body }) {
  const flow = useDocument((state) => state.flow);
  const running = useLive((live) => live.state === "running");
  const open = () => (group.flow ? go(`flows/${group.flow.replace(/\.json$/, "").replaceAll("/", ".")}`) : useUi.getState().enter(id));
  return (
    <div className="bar wrap">
      <Button icon={FolderOpen} onClick={open}>{group.flow ? `Open ${group.flow}` : "Open"}</Button>
      {!group.flow && <Button icon={Ungroup} onClick={ungroupSelected}>Ungroup</Button>}
      {running && mayOperate && (
        <>
          <Button icon={Play} onClick={() => void attempt(runnerApi.group(flow, id, "start"))}>Start</Button>
          <Button icon={Square} onClick={() => void attempt(runnerApi.group(flow, id, "stop"))}>Stop</Button>
        </>
      )}
    </div>
  );
}
