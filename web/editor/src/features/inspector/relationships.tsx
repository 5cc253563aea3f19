import { useId } from "react";
import { setValue } from "../../document/edits";
import { bodyOf, split } from "../../document/tree";
import type { Json, Processor, Retry } from "../../document/types";
import { act, useDocument } from "../../state/document-store";
import { useRelationships } from "../connect/connect-dialog";
import { Prose } from "../../ui/prose";
import { TextInput } from "./text-input";

/** Where each outcome goes: a connection, an end here, or another try. */
export function Relationships({ id, processor }: { id: string; processor: Processor }) {
  const names = useRelationships(id);
  return (
    <div className="form">
      {names.map((one) => (
        <Relationship key={one.name} id={id} processor={processor} name={one.name} description={one.description ?? ""} />
      ))}
    </div>
  );
}

function change(id: string, path: string[], value: Json): void {
  const { document } = useDocument.getState();
  if (document) act(`set ${path.join(".")}`, [setValue(document, "processors", id, path, value)]);
}

function Relationship({ id, processor, name, description }: { id: string; processor: Processor; name: string; description: string }) {
  const [group, slug] = split(id);
  const goes = useDocument((state) => {
    const all = state.document ? (bodyOf(state.document, group)?.connections ?? []) : [];
    return all.filter((one) => one.from === slug && one.relationships?.includes(name)).map((one) => one.to).join(", ");
  });
  const ends = processor.auto_terminate ?? [];
  const retry = processor.retry?.[name];
  const endless = retry && retry.count === undefined;
  const open = !goes && !ends.includes(name) && !endless;
  const setEnds = (wanted: boolean) => {
    const next = wanted ? [...ends, name] : ends.filter((one) => one !== name);
    change(id, ["auto_terminate"], next.length ? next : null);
  };
  return (
    <section className={`relationship ${open ? "open" : ""}`} aria-label={name}>
      <h3>
        {name}
        {goes ? <span className="tag">→ {goes}</span> : open ? <span className="tag warning">leads nowhere</span> : null}
      </h3>
      {description && <p className="help"><Prose text={description} /></p>}
      <label className="choice">
        <input type="checkbox" checked={ends.includes(name)} disabled={!!goes && !ends.includes(name)} onChange={(event) => setEnds(event.target.checked)} />
        <span>Ends here (auto-terminate)</span>
      </label>
      <label className="choice">
        <input type="checkbox" checked={!!retry} onChange={(event) => change(id, ["retry", name], event.target.checked ? {} : null)} />
        <span>Try again first</span>
      </label>
      {retry && <RetryForm id={id} name={name} retry={retry} />}
    </section>
  );
}

function RetryForm({ id, name, retry }: { id: string; name: string; retry: Retry }) {
  const field = useId();
  const path = (key: string) => ["retry", name, key];
  const set = (key: keyof Retry, value: Json) => {
    const next = { ...retry, [key]: value } as Record<string, Json>;
    if (value === null) delete next[key];
    change(id, ["retry", name], next);
  };
  return (
    <div className="inline-fields" data-path={path("count").join(".")}>
      <label htmlFor={`${field}-count`}>Times</label>
      <TextInput id={`${field}-count`} text={retry.count === undefined ? "" : String(retry.count)} placeholder="for ever" onText={(text) => set("count", text === "" ? null : Number(text))} />
      <label htmlFor={`${field}-back`}>Who waits</label>
      <select id={`${field}-back`} value={retry.backoff ?? "penalize"} onChange={(event) => set("backoff", event.target.value === "penalize" ? null : event.target.value)}>
        <option value="penalize">this FlowFile</option>
        <option value="yield">the processor (keeps order)</option>
      </select>
      <label htmlFor={`${field}-most`}>At most</label>
      <TextInput id={`${field}-most`} text={retry.maximum ?? ""} placeholder="10 min" onText={(text) => set("maximum", text || null)} />
    </div>
  );
}
