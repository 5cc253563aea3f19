import { useState } from "react";
import { useShallow } from "zustand/shallow";
import { connect, setValue } from "../../document/edits";
import { relationshipsOf, unhandled } from "../../document/rules";
import { bodyOf, find, joined } from "../../document/tree";
import type { Body, Connection, Operation, Processor } from "../../document/types";
import { flowsApi } from "../../api/flows";
import { useCatalogue } from "../../state/catalogue-store";
import { act, useDocument } from "../../state/document-store";
import { useUi } from "../../state/ui-store";
import type { PendingConnection } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Prose } from "../../ui/prose";
import { useAnswer } from "../../ui/use-answer";

/** Which outcomes of the source go this way, and through which ports of groups. */
export function ConnectDialog({ pending }: { pending: PendingConnection }) {
  const { document, group } = { document: useDocument((state) => state.document), group: useUi((ui) => ui.group) };
  const show = useUi((ui) => ui.show);
  const [source, target] = [pending.source.split("/")[0] as string, pending.target.split("/")[0] as string];
  const outlets = usePorts(joined(group, source), "outputs");
  const inlets = usePorts(joined(group, target), "inputs");
  const names = useRelationships(joined(group, source));
  const old = pending.edit && document ? (find(document, "connections", pending.edit) as unknown as Connection) : undefined;
  const open = document ? unhandled(document, joined(group, source), names.map((one) => one.name)) : [];
  const [chosen, setChosen] = useState<string[] | undefined>(old?.relationships);
  const picked = chosen ?? (open[0] ? [open[0]] : names[0] ? [names[0].name] : []);
  const [from, setFrom] = useState(pending.source.split("/")[1] ?? "");
  const [to, setTo] = useState(pending.target.split("/")[1] ?? "");
  const close = () => show({ connection: undefined });
  const outlet = from || outlets?.[0] || "";
  const inlet = to || inlets?.[0] || "";
  const ready = (outlets ? !!outlet : picked.length > 0 || !names.length) && (!inlets || !!inlet);
  const save = () => {
    if (!document) return;
    const ends = [outlets ? `${source}/${outlet}` : source, inlets ? `${target}/${inlet}` : target] as const;
    act(pending.edit ? "edit connection" : `connect ${source} to ${target}`, operations(document, group, ends, outlets ? [] : picked, pending.edit, old));
    close();
  };
  if (!document) return null;
  return (
    <Dialog
      title={pending.edit ? "Connection" : "Connect"}
      onClose={close}
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button tone="primary" disabled={!ready} onClick={save}>
            {pending.edit ? "Apply" : "Connect"}
          </Button>
        </>
      }
    >
      <p className="route">
        <b>{source}</b> → <b>{target}</b>
      </p>
      {outlets && <PortChoice label={`Output port of ${source}`} ports={outlets} value={outlet} onChange={setFrom} />}
      {!outlets && names.length > 0 && (
        <fieldset className="choices">
          <legend>Relationships that go this way</legend>
          {names.map(({ name, description }) => (
            <label key={name} className="choice">
              <input
                type="checkbox"
                checked={picked.includes(name)}
                onChange={(event) => setChosen(event.target.checked ? [...picked, name] : picked.filter((one) => one !== name))}
              />
              <span>
                <b>{name}</b> {open.includes(name) && <em className="tag">leads nowhere yet</em>}
                <small><Prose text={description ?? ""} /></small>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {inlets && <PortChoice label={`Input port of ${target}`} ports={inlets} value={inlet} onChange={setTo} />}
    </Dialog>
  );
}

type Doc = Parameters<typeof connect>[0];

function operations(document: Doc, group: string, [from, to]: readonly [string, string], names: string[], edit?: string, old?: Connection): Operation[] {
  if (!edit || !old) return connect(document, group, from, to, names);
  if (names.join() === old.relationships?.join()) return [];
  return [setValue(document, "connections", edit, ["relationships"], names.length ? names : null)];
}

/** Relationships as the server knows them for these properties, else by the type. */
export function useRelationships(id: string): { name: string; description?: string; failure?: boolean }[] {
  const known = useDocument((state) => state.relationships[id]);
  const processor = useDocument((state) => state.document && (find(state.document, "processors", id) as unknown as Processor | undefined));
  const facts = useCatalogue((state) => (processor ? state.processors[processor.type] : undefined));
  if (!processor) return [];
  const guessed = relationshipsOf(processor, facts);
  if (!known?.length) return guessed;
  const names = known.map((one) => (typeof one === "string" ? one : one.name));
  const extra = guessed.filter((one) => processor.properties?.["routes"] && !names.includes(one.name));
  return [...names.map((name) => guessed.find((one) => one.name === name) ?? { name }), ...extra];
}

/** Ports of a group; of a group in another file as that file says. Undefined: it is no group. */
function usePorts(id: string, side: "inputs" | "outputs"): string[] | undefined {
  const body = useDocument(
    useShallow((state) => {
      const group = state.document && (find(state.document, "groups", id) as unknown as Body | undefined);
      return group ? { flow: group.flow, ports: Object.keys((state.document && bodyOf(state.document, id)?.[side]) ?? {}).join("\n") } : undefined;
    }),
  );
  const file = body?.flow?.replace(/\.json$/, "").replaceAll("/", ".");
  const other = useAnswer(file ? () => flowsApi.read(file) : undefined, file ?? "");
  if (!body) return undefined;
  return body.flow ? Object.keys(other?.definition[side] ?? {}) : body.ports.split("\n").filter(Boolean);
}

function PortChoice({ label, ports, value, onChange }: { label: string; ports: string[]; value: string; onChange: (port: string) => void }) {
  return (
    <label className="field">
      <span className="field-title">{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {ports.map((port) => (
          <option key={port}>{port}</option>
        ))}
      </select>
    </label>
  );
}
