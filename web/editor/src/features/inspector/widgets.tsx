import { useState } from "react";
import { parsed } from "../../document/schema";
import type { Field } from "../../document/schema";
import { bodies } from "../../document/tree";
import type { Entry, Json } from "../../document/types";
import { useDocument } from "../../state/document-store";
import { ExpressionInput } from "./expression-input";
import { ListInput, MapInput } from "./list-inputs";
import { TextInput } from "./text-input";
import { useTopics } from "./use-topics";

export interface WidgetProps {
  id: string;
  field: Field;
  value: Json | undefined;
  owner: string;
  invalid: boolean;
  describedBy: string;
  /** Values of the other properties. */
  properties: Entry;
  topics?: string[];
  onAsk?: () => void;
  onChange: (value: Json) => void;
}

const HINTS: Partial<Record<Field["widget"], string>> = { duration: "30 sec", "data-size": "10 MB", rate: "1 MB or 100" };

/** The right input for a property. `#{parameter}` may stand in each of them. */
export function Widget(given: WidgetProps) {
  const { field, value, onChange } = given;
  const { topics, ask } = useTopics(given.owner, field, given.properties);
  const props: WidgetProps = field.topics ? { ...given, topics, onAsk: ask } : given;
  switch (field.widget) {
    case "enum":
    case "boolean":
    case "service":
      return <Choice {...props} />;
    case "expression":
    case "predicate":
      return <ExpressionInput {...props} kind={field.widget} offered={topics} />;
    case "list":
      return <ListInput {...props} />;
    case "map":
      return <MapInput {...props} />;
    case "json":
      return <JsonInput {...props} />;
    case "secret":
      return <SecretInput {...props} />;
    default:
      return <TextInput {...props} text={value === undefined ? "" : String(value)} placeholder={placeholder(field)} onText={(text) => onChange(text === "" && field.required ? null : parsed(text, field.widget))} />;
  }
}

function placeholder(field: Field): string {
  if (field.default !== undefined && field.default !== null && field.default !== "") return `${String(field.default)} (default)`;
  return HINTS[field.widget] ? `e.g. ${HINTS[field.widget]}` : field.nullable ? "not set" : "";
}

/** A choice that may also be a parameter, which is then shown as one more option. */
function Choice({ id, field, value, invalid, describedBy, onChange }: WidgetProps) {
  const services = useServices(field.service);
  const options = field.widget === "service" ? services : field.widget === "boolean" ? ["true", "false"] : field.options;
  const text = value === undefined ? "" : String(value);
  const change = (chosen: string) => onChange(chosen === "" ? null : field.widget === "boolean" ? chosen === "true" : chosen);
  const none = field.default === undefined || field.default === null ? (field.required ? "choose …" : "not set") : `${String(field.default)} (default)`;
  return (
    <select id={id} value={text} aria-invalid={invalid} aria-describedby={describedBy} required={field.required} onChange={(event) => change(event.target.value)}>
      <option value="">{field.widget === "service" && !options.length ? `no ${field.service} yet: add one under Services` : none}</option>
      {options.map((option) => (
        <option key={option} value={option}>{option}</option>
      ))}
      {text && !options.includes(text) && <option value={text}>{text}</option>}
    </select>
  );
}

function useServices(type: string): string[] {
  const document = useDocument((state) => state.document);
  const group = document ? [...bodies(document)] : [];
  return [...new Set(group.flatMap(([, body]) => Object.entries(body.services ?? {}).filter(([, one]) => !type || one.type === type).map(([slug]) => slug)))];
}

/** A secret is a parameter that names where it is kept; it never stands in the flow. */
function SecretInput({ id, value, describedBy, onChange }: WidgetProps) {
  const parameters = useDocument((state) => state.document?.parameters) ?? {};
  const names = Object.entries(parameters).filter(([, one]) => (one as { sensitive?: boolean } | null)?.sensitive).map(([name]) => `#{${name}}`);
  const text = value === undefined ? "" : String(value);
  return (
    <select id={id} value={text} aria-describedby={describedBy} onChange={(event) => onChange(event.target.value || null)}>
      <option value="">{names.length ? "not set" : "not set: add a sensitive parameter first"}</option>
      {names.map((name) => (
        <option key={name} value={name}>{name}</option>
      ))}
      {text && !names.includes(text) && <option value={text}>set</option>}
    </select>
  );
}

function JsonInput({ id, field, value, describedBy, onChange }: WidgetProps) {
  const [wrong, setWrong] = useState("");
  const text = value === undefined ? "" : JSON.stringify(value, null, 2);
  const save = (edited: string) => {
    try {
      if (edited !== text) onChange(edited.trim() ? (JSON.parse(edited) as Json) : null);
      setWrong("");
    } catch (error) {
      setWrong(String((error as Error).message));
    }
  };
  const shown = field.default === undefined ? "" : JSON.stringify(field.default);
  return (
    <>
      <textarea key={text} id={id} className="code" rows={Math.min(10, text.split("\n").length + 1)} placeholder={`${shown} (JSON)`} aria-describedby={describedBy} aria-invalid={!!wrong} defaultValue={text} onBlur={(event) => save(event.target.value)} />
      {wrong && <p className="field-error">{wrong}</p>}
    </>
  );
}
