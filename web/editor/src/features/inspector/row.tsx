import { useId } from "react";
import { setValue } from "../../document/edits";
import { parsed } from "../../document/schema";
import type { Json, Kind } from "../../document/types";
import { act, useDocument } from "../../state/document-store";
import { TextInput } from "./text-input";

export interface Target {
  kind: Kind | "flow";
  id: string;
}

export function put({ kind, id }: Target, path: (string | number)[], value: Json): void {
  const { document } = useDocument.getState();
  if (document) act(`set ${path.join(".")}`, [setValue(document, kind, id, path, value)], `${id} ${path.join(".")}`);
}

interface TextProps {
  target: Target;
  path: (string | number)[];
  title: string;
  value: Json | undefined;
  initial?: string;
  help?: string;
  number?: boolean;
  lines?: boolean;
}

/** One setting as text, with its default shown. */
export function TextRow({ target, path, title, value, initial = "", help, number, lines }: TextProps) {
  const id = useId();
  const text = value === undefined || value === null ? "" : String(value);
  return (
    <div className="field">
      <label className="field-title" htmlFor={id}>{title}</label>
      <TextInput id={id} text={text} lines={!!lines} placeholder={initial ? `${initial} (default)` : ""} onText={(edited) => put(target, path, parsed(edited, number ? "integer" : "text"))} />
      {help && <p className="help">{help}</p>}
    </div>
  );
}

interface ChoiceProps {
  target: Target;
  path: (string | number)[];
  title: string;
  value: string | undefined;
  options: string[];
  initial: string;
  help?: string;
}

export function ChoiceRow({ target, path, title, value, options, initial, help }: ChoiceProps) {
  const id = useId();
  return (
    <div className="field">
      <label className="field-title" htmlFor={id}>{title}</label>
      <select id={id} value={value ?? initial} onChange={(event) => put(target, path, event.target.value === initial ? null : event.target.value)}>
        {options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
      {help && <p className="help">{help}</p>}
    </div>
  );
}
