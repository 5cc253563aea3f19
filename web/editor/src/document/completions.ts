/** What can be written at a place of an expression or predicate. Pure: no editor, no server. */

import { bodies, split } from "./tree";
import type { FlowDocument, Json } from "./types";

export interface Word {
  name: string;
  signature: string;
  description: string;
}

export interface Vocabulary {
  filters: Word[];
  functions: Word[];
  fields: Word[];
}

export interface Offer {
  label: string;
  detail: string;
  info: string;
  apply: string;
  type: "variable" | "function" | "property" | "constant" | "text";
}

export interface Names {
  attributes: ReadonlyMap<string, string>;
  parameters: string[];
  vocabulary: Vocabulary;
  /** Whole texts that fit, such as the topics of a cluster. */
  texts: string[];
}

/** Offers for the text before the cursor, and where what they replace begins. */
export function offersAt(before: string, kind: "expression" | "predicate", names: Names): { from: number; offers: Offer[] } | undefined {
  const parameter = /#\{?([^{}#]*)$/.exec(before);
  if (parameter) return { from: parameter.index, offers: names.parameters.map(asParameter) };
  const open = kind === "predicate" ? 0 : before.lastIndexOf("{{") + 2;
  if (kind === "expression" && (open < 2 || before.indexOf("}}", open) >= 0)) {
    return before.includes("{") ? undefined : { from: 0, offers: names.texts.map((text) => plain(text, "topic", "text")) };
  }
  const inner = before.slice(open);
  if (inQuotes(inner)) return undefined;
  const filter = /\|\s*([\w]*)$/.exec(inner);
  if (filter) return { from: before.length - (filter[1] as string).length, offers: names.vocabulary.filters.map((one) => asCall(one, "filter")) };
  const word = /[\w.]*$/.exec(inner) as RegExpExecArray;
  return { from: before.length - word[0].length, offers: subjects(names) };
}

function inQuotes(text: string): boolean {
  const open = /^(?:[^'"]|'[^']*'|"[^"]*")*(['"])[^'"]*$/.exec(text);
  return !!open;
}

function subjects({ attributes, vocabulary }: Names): Offer[] {
  const own = [...attributes].map(([name, where]) => plain(name, where, "variable"));
  const fields = vocabulary.fields.map((one) => ({ ...plain(one.name, "field", "property"), info: one.description }));
  return [...own, ...fields, ...vocabulary.functions.map((one) => asCall(one, "function"))];
}

function plain(label: string, detail: string, type: Offer["type"]): Offer {
  return { label, detail, info: "", apply: label, type };
}

function asCall({ name, signature, description }: Word, kind: string): Offer {
  const call = kind === "function" ? `${name}${signature === "()" ? "()" : "("}` : signature && signature !== "()" ? `${name}(` : name;
  return { label: name, detail: signature, info: description || `A ${kind} of Jinja.`, apply: call, type: "function" };
}

function asParameter(name: string): Offer {
  return { label: `#{${name}}`, detail: "parameter", info: "", apply: `#{${name}}`, type: "constant" };
}

/** Attributes that processors of a flow write, each with who writes it. */
export function attributesOf(document: FlowDocument, writes: (type: string) => Record<string, string>): Map<string, string> {
  const names = new Map([["filename", "every FlowFile"], ["uuid", "every FlowFile"]]);
  for (const [, body] of bodies(document))
    for (const [slug, processor] of Object.entries(body.processors ?? {})) {
      for (const name of Object.keys(writes(processor.type))) if (!/[*<{ ]/.test(name)) names.set(name, slug);
      for (const name of Object.keys((processor.properties?.["attributes"] ?? {}) as Record<string, Json>)) names.set(name, slug);
    }
  return names;
}

/** Ids of connections that lead into a processor. */
export function inputsOf(document: FlowDocument, id: string): string[] {
  const [group, slug] = split(id);
  const prefix = group ? `${group}/` : "";
  for (const [path, body] of bodies(document))
    if (path === group) return (body.connections ?? []).filter((one) => one.to === slug).map((one) => prefix + (one.id || `${one.from}-${one.to}`));
  return [];
}
