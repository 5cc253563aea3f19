import { useId } from "react";
import { split, slugify, joined } from "../../document/tree";
import type { Json, Processor } from "../../document/types";
import { act } from "../../state/document-store";
import { useUi } from "../../state/ui-store";
import { ChoiceRow, put, TextRow } from "./row";
import { TextInput } from "./text-input";

export function Settings({ id, processor }: { id: string; processor: Processor }) {
  const target = { kind: "processors", id } as const;
  const values = processor as unknown as Record<string, Json>;
  return (
    <form className="form" onSubmit={(event) => event.preventDefault()}>
      <TextRow target={target} path={["name"]} title="Name" value={processor.name} initial={split(id)[1]} help="For people; the id stays." />
      <RenameRow kind="processors" id={id} />
      <label className="choice">
        <input type="checkbox" checked={!!processor.disabled} onChange={(event) => put(target, ["disabled"], event.target.checked || null)} />
        <span><b>Disabled</b><small>It is left out when the flow starts.</small></span>
      </label>
      <TextRow target={target} path={["penalty"]} title="Penalty" value={values["penalty"]} initial="30 sec" help="How long a penalized FlowFile waits." />
      <TextRow target={target} path={["yield"]} title="Yield" value={values["yield"]} initial="1 sec" help="How long the processor waits after it yields." />
      <ChoiceRow target={target} path={["bulletin_level"]} title="Bulletin level" value={values["bulletin_level"] as string | undefined} initial="warning" options={["debug", "info", "warning", "error", "none"]} help="Lowest log level that becomes a bulletin." />
      <TextRow target={target} path={["comments"]} title="Comments" value={processor.comments} lines />
    </form>
  );
}

/** The id names queues and state of the running flow, so a new one begins with empty ones. */
export function RenameRow({ kind, id }: { kind: "processors" | "groups" | "inputs" | "outputs" | "funnels" | "labels"; id: string }) {
  const field = useId();
  const [group, slug] = split(id);
  const rename = (text: string) => {
    const to = joined(group, slugify(text));
    if (to !== id && slugify(text) && act(`rename ${slug}`, [{ op: "rename", kind, id, to }])) useUi.getState().select([to]);
  };
  return (
    <div className="field">
      <label className="field-title" htmlFor={field}>Id</label>
      <TextInput id={field} text={slug} className="code" onText={rename} />
      <p className="help">A new id is a new component to the running flow: its queues and state begin anew.</p>
    </div>
  );
}
