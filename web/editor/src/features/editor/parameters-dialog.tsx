import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Entry, FlowDocument } from "../../document/types";
import { mayEdit } from "../../api/client";
import { act, useDocument } from "../../state/document-store";
import { useUi } from "../../state/ui-store";
import { bodies, joined } from "../../document/tree";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { put } from "../inspector/row";
import { TextInput } from "../inspector/text-input";

/** Values that properties take by `#{name}`. A secret names where it is kept, never its value. */
export function ParametersDialog() {
  const document = useDocument((state) => state.document);
  const show = useUi((ui) => ui.show);
  const [name, setName] = useState("");
  const parameters = Object.entries((document?.parameters ?? {}) as Record<string, Entry>);
  const add = () => {
    if (name && act(`add parameter ${name}`, [{ op: "add", kind: "parameters", id: name, value: { value: "" } }])) setName("");
  };
  return (
    <Dialog title="Parameters" size="wide" onClose={() => show({ dialog: undefined })}>
      <p className="muted">Write <code>{"#{name}"}</code> in a property to take a parameter's value.</p>
      <div className="table-frame">
        <table className="parameters">
          <thead>
            <tr><th>Name</th><th>Value</th><th>Secret</th><th>Description</th><th>Used by</th><th aria-label="Delete" /></tr>
          </thead>
          <tbody>
            {parameters.map(([id, one]) => document && <Row key={id} id={id} parameter={one} document={document} />)}
          </tbody>
        </table>
      </div>
      {mayEdit && (
        <form className="bar" onSubmit={(event) => { event.preventDefault(); add(); }}>
          <input type="text" aria-label="Name of the new parameter" placeholder="new-parameter" value={name} onChange={(event) => setName(event.target.value)} />
          <Button icon={Plus} type="submit" disabled={!name}>Add</Button>
        </form>
      )}
    </Dialog>
  );
}

function Row({ id, parameter, document }: { id: string; parameter: Entry; document: FlowDocument }) {
  const target = { kind: "parameters", id } as const;
  const secret = !!parameter["sensitive"];
  const key = secret ? "env" : "value";
  const hide = (wanted: boolean) => act(`set ${id}.sensitive`, [
    { op: "set", kind: "parameters", id, path: ["value"], value: wanted ? null : "", before: parameter["value"] ?? null },
    { op: "set", kind: "parameters", id, path: ["sensitive"], value: wanted || null, before: parameter["sensitive"] ?? null },
  ]);
  return (
    <tr>
      <th scope="row"><code>{id}</code></th>
      <td>
        <TextInput id={`parameter-${id}`} label={secret ? `Environment variable of ${id}` : `Value of ${id}`} placeholder={secret ? "environment variable" : ""} text={String(parameter[key] ?? "")} onText={(text) => put(target, [key], text)} />
      </td>
      <td><input type="checkbox" aria-label={`${id} is a secret`} checked={secret} onChange={(event) => hide(event.target.checked)} /></td>
      <td><TextInput id={`about-${id}`} label={`Description of ${id}`} text={String(parameter["description"] ?? "")} onText={(text) => put(target, ["description"], text || null)} /></td>
      <td className="muted">{users(document, id).join(", ") || "nobody"}</td>
      <td>{mayEdit && <IconButton icon={Trash2} label={`Delete ${id}`} onClick={() => act(`delete ${id}`, [{ op: "remove", kind: "parameters", id }])} />}</td>
    </tr>
  );
}

function users(document: FlowDocument, name: string): string[] {
  const wanted = `#{${name}}`;
  const sections = ["processors", "services"] as const;
  return [...bodies(document)].flatMap(([group, body]) =>
    sections.flatMap((kind) => Object.entries(body[kind] ?? {}).filter(([, one]) => JSON.stringify(one).includes(wanted)).map(([slug]) => joined(group, slug))),
  );
}
