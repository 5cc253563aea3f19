/** JSON Schema of properties → fields of a form. */

import type { Json } from "./types";

export type Widget =
  | "duration" | "data-size" | "rate" | "expression" | "predicate" | "secret" | "service"
  | "enum" | "boolean" | "integer" | "number" | "list" | "map" | "json" | "text";

export interface Field {
  name: string;
  title: string;
  description: string;
  widget: Widget;
  required: boolean;
  nullable: boolean;
  default: Json | undefined;
  options: string[];
  service: string;
  examples: string[];
  /** Format of the values of a map, such as "predicate". */
  inner: string;
  /** Values that other properties must have for this one to count. */
  depends: Record<string, Json[]>;
  /** The property with the Kafka connection whose topics can be offered; "" for none. */
  topics: string;
}

export interface Schema {
  type?: string | string[];
  format?: string;
  title?: string;
  description?: string;
  default?: Json;
  enum?: Json[];
  const?: Json;
  $ref?: string;
  anyOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
  examples?: Json[];
  service?: string;
  $defs?: Record<string, Schema>;
  "x-depends-on"?: Record<string, Json[]>;
  "x-topics"?: string;
}

const TEXTS = new Set(["duration", "data-size", "rate", "expression", "predicate", "secret", "service"]);

export function fieldsOf(schema: Schema | undefined): Field[] {
  const required = new Set(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {}).map(([name, part]) => field(name, part, required.has(name), schema?.$defs ?? {}));
}

function field(name: string, part: Schema, required: boolean, defs: Record<string, Schema>): Field {
  const choices = (part.anyOf ?? [part]).map((one) => resolved(one, defs));
  const kinds = choices.filter((one) => one.type !== "null");
  const main = kinds[0] ?? {};
  return {
    name,
    title: titled(name),
    description: part.description ?? main.description ?? "",
    widget: kinds.length > 1 ? mixed(kinds) : widget(main),
    required,
    nullable: kinds.length < choices.length,
    default: part.default,
    options: (main.enum ?? []).map(String),
    service: main.service ?? "",
    examples: [...(part.examples ?? []), ...(main.examples ?? [])].map(String),
    inner: innerFormat(main, defs),
    depends: part["x-depends-on"] ?? {},
    topics: part["x-topics"] ?? "",
  };
}

function resolved(part: Schema, defs: Record<string, Schema>): Schema {
  const named = part.$ref?.split("/").at(-1);
  if (named) return { ...defs[named], ...part };
  return part.allOf?.[0] ? { ...resolved(part.allOf[0], defs), ...part } : part;
}

function mixed(kinds: Schema[]): Widget {
  return kinds.every((one) => ["string", "integer", "number"].includes(String(one.type))) ? "text" : "json";
}

function widget(part: Schema): Widget {
  if (part.enum) return "enum";
  if (part.format && TEXTS.has(part.format)) return part.format as Widget;
  const type = Array.isArray(part.type) ? part.type[0] : part.type;
  if (type === "boolean" || type === "integer" || type === "number") return type;
  if (type === "array") return part.items && part.items.type !== "string" && !part.items.$ref ? "json" : "list";
  if (type === "object") {
    const inner = part.additionalProperties;
    const simple = typeof inner === "object" && (inner.type === "string" || inner.$ref);
    return simple ? "map" : "json";
  }
  return "text";
}

function innerFormat(part: Schema, defs: Record<string, Schema>): string {
  const inner = part.additionalProperties;
  return typeof inner === "object" ? (resolved(inner, defs).format ?? "") : "";
}

/** `maximum_rate` → `Maximum rate`. */
export function titled(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Whether a property counts with these values of the others; a parameter may have any value. */
export function isRelevant(field: Field, fields: Field[], properties: Record<string, Json>): boolean {
  return Object.entries(field.depends).every(([name, wanted]) => {
    const other = fields.find((one) => one.name === name);
    const value = properties[name] ?? other?.default ?? null;
    const open = typeof value === "string" && value.includes("#{");
    return open || (wanted.includes(value) && (!other || isRelevant(other, fields, properties)));
  });
}

/** Names of properties that hold secrets. */
export function secretsOf(schema: Schema | undefined): string[] {
  return fieldsOf(schema).filter((one) => one.widget === "secret").map((one) => one.name);
}

/** Text of an input → value of a property; `#{parameter}` stays text everywhere. */
export function parsed(text: string, kind: Widget): Json {
  if (text === "") return null;
  if ((kind === "integer" || kind === "number" || kind === "rate") && /^-?\d+(\.\d+)?$/.test(text.trim())) return Number(text);
  return text;
}
