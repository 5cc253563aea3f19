import { CircleAlert, CircleCheck, Plus, Trash2, Variable } from "lucide-react";
import { useState } from "react";
import { mayEdit } from "../../api/client";
import { flowsApi } from "../../api/flows";
import type { ParameterFacts } from "../../api/flows";
import { usersOf } from "../../document/parameters";
import type { Entry, FlowDocument, Operation } from "../../document/types";
import { act, useDocument } from "../../state/document-store";
import { useUi } from "../../state/ui-store";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Empty } from "../../ui/empty";
import { attempt } from "../../ui/report";
import { useAnswer } from "../../ui/use-answer";
import { put } from "../inspector/row";
import { TextInput } from "../inspector/text-input";
import { Users } from "./users";

/** Values that properties take by `#{name}`. A secret names where it is kept, never its value. */
export function ParametersDialog() {
  const { document, flow, seq } = useDocument();
  const show = useUi((ui) => ui.show);
  const told = useAnswer(() => flowsApi.parameters(flow), `${flow} ${seq}`);
  const parameters = Object.entries((document?.parameters ?? {}) as Record<string, Entry>);
  return (
    <Dialog title="Parameters" size="wide" onClose={() => show({ dialog: undefined })}>
      <p className="muted">Write <code>{"#{name}"}</code> in a property to take a parameter's value. A secret stands in no flow file: it comes from the server's environment, a file there, or its encrypted store.</p>
      {parameters.length ? (
        <div className="table-frame">
          <table className="parameters">
            <thead>
              <tr><th>Name</th><th>From</th><th>Value</th><th>Secret</th><th>Description</th><th>Used by</th><th aria-label="Delete" /></tr>
            </thead>
            <tbody>
              {parameters.map(([id, one]) => document && <Row key={id} id={id} parameter={one} document={document} facts={told?.parameters.find((fact) => fact.name === id)} />)}
            </tbody>
          </table>
        </div>
      ) : (
        <Empty icon={Variable} title="No parameters yet">What differs between places, such as a broker's address or a folder, is best a parameter.</Empty>
      )}
      {mayEdit && <NewParameter />}
    </Dialog>
  );
}

function NewParameter() {
  const [name, setName] = useState("");
  const add = () => {
    if (name && act(`add parameter ${name}`, [{ op: "add", kind: "parameters", id: name, value: { value: "" } }])) setName("");
  };
  return (
    <form className="bar" onSubmit={(event) => { event.preventDefault(); add(); }}>
      <input type="text" aria-label="Name of the new parameter" placeholder="new-parameter" value={name} onChange={(event) => setName(event.target.value)} />
      <Button icon={Plus} type="submit" disabled={!name}>Add</Button>
    </form>
  );
}

const SOURCES = { value: "here", env: "environment", file: "file", store: "encrypted store" } as const;
type Source = keyof typeof SOURCES;
const LABELS: Record<Source, string> = { value: "Value", env: "Environment variable", file: "File", store: "Name in the store" };
const PLACEHOLDERS: Record<Source, string> = { value: "", env: "NAME", file: "path on the server", store: "name" };

interface RowProps {
  id: string;
  parameter: Entry;
  document: FlowDocument;
  facts: ParameterFacts | undefined;
}

function Row({ id, parameter, document, facts }: RowProps) {
  const target = { kind: "parameters", id } as const;
  const secret = !!parameter["sensitive"];
  const source = (["env", "file", "store"] as const).find((one) => parameter[one] !== undefined) ?? (secret ? "env" : "value");
  const sources = (Object.keys(SOURCES) as Source[]).filter((one) => !secret || one !== "value");
  const label = `${LABELS[source]} of ${id}`;
  return (
    <tr>
      <th scope="row"><code>{id}</code></th>
      <td>
        <select aria-label={`Where ${id} comes from`} value={source} disabled={!mayEdit} onChange={(event) => act(`set source of ${id}`, moved(id, parameter, event.target.value as Source))}>
          {sources.map((one) => <option key={one} value={one}>{SOURCES[one]}</option>)}
        </select>
      </td>
      <td>
        <TextInput id={`parameter-${id}`} label={label} placeholder={PLACEHOLDERS[source]} text={String(parameter[source] ?? "")} onText={(text) => put(target, [source], text)} />
        {source === "store" && mayEdit && parameter["store"] ? <EnterSecret name={String(parameter["store"])} /> : null}
        {source !== "value" && facts && <IsSet set={facts.set} />}
      </td>
      <td><input type="checkbox" aria-label={`${id} is a secret`} checked={secret} disabled={!mayEdit} onChange={(event) => act(`set ${id}.sensitive`, hidden(id, parameter, event.target.checked))} /></td>
      <td><TextInput id={`about-${id}`} label={`Description of ${id}`} text={String(parameter["description"] ?? "")} onText={(text) => put(target, ["description"], text || null)} /></td>
      <td><Users ids={usersOf(document, id)} /></td>
      <td>{mayEdit && <IconButton icon={Trash2} label={`Delete ${id}`} onClick={() => act(`delete ${id}`, [{ op: "remove", kind: "parameters", id }])} />}</td>
    </tr>
  );
}

/** A secret goes into the server's store and never comes out of it. */
function EnterSecret({ name }: { name: string }) {
  const [value, setValue] = useState("");
  const enter = async () => {
    const done = await attempt(flowsApi.putSecret(name, value).then(() => true), `The secret ${name} is set`);
    if (done) setValue("");
  };
  return (
    <form className="bar secret" onSubmit={(event) => { event.preventDefault(); void enter(); }}>
      <input type="password" autoComplete="off" aria-label={`New value of the secret ${name}`} placeholder="new value" value={value} onChange={(event) => setValue(event.target.value)} />
      <Button type="submit" disabled={!value}>Set</Button>
    </form>
  );
}

function IsSet({ set }: { set: boolean }) {
  const Icon = set ? CircleCheck : CircleAlert;
  return <small className={`is-set ${set ? "good" : "warn"}`}><Icon size={12} aria-hidden /> {set ? "set on the server" : "not set on the server"}</small>;
}

type Path = string[];

function setting(id: string, parameter: Entry, path: Path, value: Entry[string]): Operation {
  return { op: "set", kind: "parameters", id, path, value, before: parameter[path[0] as string] ?? null };
}

/** One place instead of another. */
function moved(id: string, parameter: Entry, to: Source): Operation[] {
  const gone = (Object.keys(SOURCES) as Source[]).filter((one) => one !== to && parameter[one] !== undefined);
  return [...gone.map((one) => setting(id, parameter, [one], null)), setting(id, parameter, [to], "")];
}

/** A secret has no value here: what stood there goes. */
function hidden(id: string, parameter: Entry, wanted: boolean): Operation[] {
  const changes = wanted && parameter["value"] !== undefined ? moved(id, parameter, "env") : [];
  return [...changes, setting(id, parameter, ["sensitive"], wanted || null)];
}
