/** Copy and paste as JSON text, so that it works across tabs and servers. No secret is taken along. */

import { positionsIn } from "./layout";
import type { Connection, FlowDocument, Json, Operation, Position } from "./types";
import { bodyOf, find, freshSlug, joined, kindOf, slugOf, split } from "./tree";

export interface Clipping {
  flowengine: "clipping";
  components: { slug: string; kind: string; value: Json; position: Position }[];
  connections: Connection[];
  inner: Record<string, Position>;
}

export function copy(document: FlowDocument, ids: string[], secret: (type: string) => string[]): Clipping {
  const slugs = new Set(ids.map((id) => split(id)[1]));
  const [group] = split(ids[0] ?? "");
  const inside = (end: string) => slugs.has(end.split("/")[0] as string);
  const connections = (bodyOf(document, group)?.connections ?? []).filter((one) => inside(one.from) && inside(one.to));
  const components = ids.flatMap((id) => {
    const kind = kindOf(document, id);
    const value = kind && find(document, kind, id);
    if (!kind || value === undefined) return [];
    return [{ slug: split(id)[1], kind, value: cleared(value, secret), position: document.layout?.[id] ?? [0, 0] as Position }];
  });
  return { flowengine: "clipping", components, connections: structuredClone(connections), inner: innerLayout(document, group, ids) };
}

/** Positions inside copied groups, by the path below the group that is looked at. */
function innerLayout(document: FlowDocument, group: string, ids: string[]): Record<string, Position> {
  const below = (name: string) => ids.some((id) => name.startsWith(`${id}/`));
  const entries = Object.entries(document.layout ?? {}).filter(([name]) => below(name));
  return Object.fromEntries(entries.map(([name, at]) => [group ? name.slice(group.length + 1) : name, at]));
}

function cleared(value: Json, secret: (type: string) => string[]): Json {
  const taken = structuredClone(value) as { type?: string; properties?: Record<string, Json>; processors?: Record<string, Json>; groups?: Record<string, Json> };
  for (const name of taken.type ? secret(taken.type) : []) {
    const kept = taken.properties?.[name];
    if (typeof kept === "string" && !/^#\{[^}]*\}$/.test(kept)) delete taken.properties?.[name];
  }
  for (const section of [taken.processors, taken.groups])
    for (const [slug, inner] of Object.entries(section ?? {})) (section as Record<string, Json>)[slug] = cleared(inner, secret);
  return taken as unknown as Json;
}

/** A clipping, or a whole flow's definition; undefined for other text. */
export function parseClipping(text: string): Clipping | undefined {
  try {
    const found = JSON.parse(text) as Clipping | FlowDocument;
    if ("format" in found) return copy(found, Object.keys(positionsIn(found, "")), () => []);
    return found?.flowengine === "clipping" && Array.isArray(found.components) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Operations that insert a clipping into a group, with new ids where they are taken. */
export function paste(
  document: FlowDocument,
  group: string,
  clipping: Clipping,
  offset: Position = [40, 40],
): { ids: string[]; operations: Operation[] } {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const { slug } of clipping.components) {
    const fresh = freshSlug(bodyOf(document, group), slug, taken);
    taken.add(fresh);
    names.set(slug, fresh);
  }
  const renamed = (end: string) => {
    const [first = "", ...rest] = end.split("/");
    return [names.get(first) ?? first, ...rest].join("/");
  };
  const added = clipping.components.map(({ slug, kind, value, position: [x, y] }): Operation => {
    const id = joined(group, renamed(slug));
    return { op: "add", kind: kind as "processors", id, value, position: [x + offset[0], y + offset[1]] };
  });
  const wired = clipping.connections.map(({ id: _, ...one }): Operation => {
    const value = { ...one, from: renamed(one.from), to: renamed(one.to) };
    return { op: "add", kind: "connections", id: joined(group, slugOf(value)), value: value as unknown as Json };
  });
  const inner = Object.entries(clipping.inner).map(([name, at]) => [joined(group, renamed(name)), at] as const);
  const moved: Operation[] = inner.length ? [{ op: "move", positions: Object.fromEntries(inner) }] : [];
  return { ids: [...names.values()].map((slug) => joined(group, slug)), operations: [...added, ...wired, ...moved] };
}
