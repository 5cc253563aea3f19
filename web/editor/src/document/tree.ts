/** Finding one's way in a document. Ids are paths: `group/inner/slug`; the flow itself is "". */

import { DRAWN } from "./types";
import type { Body, Connection, DrawnKind, FlowDocument, Json, Kind } from "./types";

export function joined(group: string, slug: string): string {
  return group ? `${group}/${slug}` : slug;
}

/** The group around an id, and its own slug. */
export function split(id: string): [group: string, slug: string] {
  const at = id.lastIndexOf("/");
  return at < 0 ? ["", id] : [id.slice(0, at), id.slice(at + 1)];
}

/** The group with this path; undefined where there is none that can be edited here. */
export function bodyOf(document: FlowDocument, group: string): Body | undefined {
  let body: Body | undefined = document;
  for (const slug of group ? group.split("/") : []) {
    body = body?.groups?.[slug];
    if (!body || body.flow !== undefined) return undefined;
  }
  return body;
}

/** E8: a connection is called by its id, else `from-to`. */
export function slugOf(connection: Connection): string {
  return connection.id || `${connection.from}-${connection.to}`;
}

/** All groups written in the document, each with its path; the flow first. */
export function* bodies(body: Body, group = ""): Generator<[string, Body]> {
  yield [group, body];
  for (const [slug, inner] of Object.entries(body.groups ?? {})) {
    if (inner.flow === undefined) yield* bodies(inner, joined(group, slug));
  }
}

/** The id of the service that a component names: the nearest one, from its own group outwards. */
export function serviceIdOf(document: FlowDocument, owner: string, slug: string): string {
  for (let group = split(owner)[0]; ; group = split(group)[0]) {
    if (bodyOf(document, group)?.services?.[slug]) return joined(group, slug);
    if (!group) return "";
  }
}

export interface PlacedConnection {
  group: string;
  body: Body;
  index: number;
  connection: Connection;
}

export function findConnection(document: FlowDocument, id: string): PlacedConnection | undefined {
  for (const [group, body] of bodies(document)) {
    const index = (body.connections ?? []).findIndex((one) => joined(group, slugOf(one)) === id);
    const connection = body.connections?.[index];
    if (connection) return { group, body, index, connection };
  }
  return undefined;
}

/** The value of a component; undefined where there is none. */
export function find(document: FlowDocument, kind: Kind | "flow", id: string): Json | undefined {
  if (kind === "flow") return document as unknown as Json;
  if (kind === "connections") return findConnection(document, id)?.connection as unknown as Json;
  const [group, slug] = kind === "parameters" ? ["", id] : split(id);
  const entries = bodyOf(document, group)?.[kind] as Record<string, Json> | undefined;
  return entries?.[slug];
}

export function kindOf(document: FlowDocument, id: string): DrawnKind | undefined {
  const [group, slug] = split(id);
  const body = bodyOf(document, group);
  return DRAWN.find((kind) => body?.[kind]?.[slug] !== undefined);
}

export function valueAt(value: Json | undefined, path: (string | number)[]): Json | undefined {
  let found: Json | undefined = value;
  for (const step of path) {
    if (found === null || typeof found !== "object") return undefined;
    found = (found as Record<string | number, Json>)[step];
  }
  return found;
}

/** Connections of a group that end at one of its slugs, or at a port of that group. */
export function attached(body: Body, slug: string, isGroup: boolean): Connection[] {
  const touches = (end: string) => end === slug || (isGroup && end.startsWith(`${slug}/`));
  return (body.connections ?? []).filter((one) => touches(one.from) || touches(one.to));
}

/** A slug that nothing drawn in the group has: the wanted one, else with a number. */
export function freshSlug(body: Body | undefined, wanted: string, taken = new Set<string>()): string {
  const base = slugify(wanted) || "component";
  const used = (slug: string) => taken.has(slug) || DRAWN.some((kind) => body?.[kind]?.[slug]);
  if (!used(base)) return base;
  for (let number = 2; ; number++) if (!used(`${base}-${number}`)) return `${base}-${number}`;
}

/** `ReadDataLake` → `read-data-lake`. */
export function slugify(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^[-_]+|[-_]+$/g, "")
    .slice(0, 60);
}

export function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [a, b] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}

/** Ids of components that are new, gone or other than before; a moved one has not changed. */
export function changedIds(before: FlowDocument, after: FlowDocument): string[] {
  const [old, now] = [entriesOf(before), entriesOf(after)];
  const ids = new Set([...old.keys(), ...now.keys()]);
  return [...ids].filter((id) => !same(old.get(id), now.get(id))).map((id) => id.slice(id.indexOf(" ") + 1));
}

/** Everything with an id, groups without what is in them. */
function entriesOf(document: FlowDocument): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [group, body] of bodies(document)) {
    for (const kind of [...DRAWN, "services", "parameters"] as const)
      for (const [slug, value] of Object.entries(body[kind] ?? {})) {
        const own = kind === "groups" ? { name: (value as Body).name, flow: (value as Body).flow } : value;
        found.set(`${kind} ${joined(group, slug)}`, own);
      }
    for (const one of body.connections ?? []) found.set(`connections ${joined(group, slugOf(one))}`, one);
  }
  return found;
}
