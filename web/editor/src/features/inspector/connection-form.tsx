import { List, Pencil, Trash2 } from "lucide-react";
import { mayEdit } from "../../api/client";
import { bytes } from "../../document/format";
import type { Connection } from "../../document/types";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { editConnection, removeSelected } from "../canvas/commands";
import { JsonTab } from "./json-tab";
import { put, TextRow } from "./row";

const PRIORITIZERS = ["first in first out", "newest first", "oldest first", "priority attribute"];

export function ConnectionForm({ id, connection }: { id: string; connection: Connection }) {
  const live = useLive((state) => state.connections[id]);
  const show = useUi((ui) => ui.show);
  const target = { kind: "connections", id } as const;
  const limits = connection.back_pressure ?? {};
  return (
    <>
      <header className="inspector-head">
        <h2>{connection.name || `${connection.from} → ${connection.to}`}</h2>
        <p className="muted">{connection.relationships?.join(", ") || "everything"}</p>
        <div className="bar">
          {live && <Button icon={List} onClick={() => show({ dialog: { kind: "queue", connection: id } })}>List queue</Button>}
          {mayEdit && <Button icon={Pencil} onClick={() => editConnection(id)}>Relationships</Button>}
          {mayEdit && <Button icon={Trash2} onClick={removeSelected}>Delete</Button>}
        </div>
        {live && <p className={live.full ? "notice warn" : "muted"}>{live.queued ?? 0} queued ({bytes(live.bytes ?? 0)}), {live.percent ?? 0} % full{live.full && ": the processor before it waits"}</p>}
      </header>
      <div className="panel-body">
        <form className="form" onSubmit={(event) => event.preventDefault()}>
          <fieldset disabled={!mayEdit} className="plain">
            <TextRow target={target} path={["name"]} title="Name" value={connection.name} />
            <TextRow target={target} path={["back_pressure", "objects"]} title="Full at FlowFiles" value={limits.objects} initial="10000" number help="0 switches this bound off." />
            <TextRow target={target} path={["back_pressure", "bytes"]} title="Full at size" value={limits.bytes} initial="100 MB" />
            <TextRow target={target} path={["expiration"]} title="Expiration" value={connection.expiration} initial="0 sec" help="Age at which FlowFiles go; 0 is never." />
            <div className="field">
              <label className="field-title" htmlFor="prioritizers">Prioritizers</label>
              <input id="prioritizers" type="text" list="prioritizer-names" defaultValue={(connection.prioritizers ?? []).join(", ")} key={connection.prioritizers?.join()} placeholder="first in, first out" onBlur={(event) => setPrioritizers(id, event.target.value)} />
              <datalist id="prioritizer-names">{PRIORITIZERS.map((name) => <option key={name}>{name}</option>)}</datalist>
              <p className="help">Names with commas between them, strongest first.</p>
            </div>
          </fieldset>
        </form>
        <details>
          <summary>JSON</summary>
          <JsonTab kind="connections" id={id} />
        </details>
      </div>
    </>
  );
}

function setPrioritizers(id: string, text: string): void {
  const names = text.split(",").map((one) => one.trim()).filter(Boolean);
  put({ kind: "connections", id }, ["prioritizers"], names.length ? names : null);
}
