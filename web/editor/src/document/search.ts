/** Finding components in the whole flow, nested groups included, by name, type and values. */

import type { Body, FlowDocument, Json } from "./types";
import { bodies, joined } from "./tree";
import { DRAWN } from "./types";

export interface Hit {
  id: string;
  kind: string;
  title: string;
  where: string;
}

export function search(document: FlowDocument, text: string, limit = 30): Hit[] {
  const wanted = text.trim().toLowerCase();
  const hits: Hit[] = [];
  for (const [group, body] of bodies(document))
    for (const hit of hitsIn(group, body, wanted)) {
      hits.push(hit);
      if (hits.length >= limit) return hits;
    }
  return hits;
}

function* hitsIn(group: string, body: Body, wanted: string): Generator<Hit> {
  for (const kind of DRAWN)
    for (const [slug, value] of Object.entries(body[kind] ?? {})) {
      const id = joined(group, slug);
      const name = String((value as { name?: string }).name ?? "");
      const where = [slug, name].some((one) => one.toLowerCase().includes(wanted)) ? "name" : place(value as unknown as Json, wanted);
      if (where) yield { id, kind, title: name || slug, where: where === "name" ? (group || "top") : where };
    }
}

/** The path of the first value that holds the text. */
function place(value: Json, wanted: string, path = ""): string {
  if (value === null || typeof value !== "object") {
    return String(value).toLowerCase().includes(wanted) ? `${path}: ${String(value).slice(0, 60)}` : "";
  }
  for (const [key, inner] of Object.entries(value)) {
    if (["processors", "groups", "connections"].includes(key)) continue;
    const found = place(inner as Json, wanted, path ? `${path}.${key}` : key);
    if (found) return found;
  }
  return "";
}
