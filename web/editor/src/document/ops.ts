/**
 * Applying named operations: the same vocabulary and rules as the server's `web/operations.py`.
 * A document is never changed; every operation also gives what takes it back.
 */

import { DRAWN } from "./types";
import type { Body, Connection, FlowDocument, Json, Kind, Operation, Position } from "./types";
import { attached, bodies, bodyOf, find, findConnection, joined, kindOf, same, slugOf, split, valueAt } from "./tree";

export class OperationRefused extends Error {}

export interface Applied {
  document: FlowDocument;
  inverses: Operation[];
}

/** The document after the operations, and what takes them back, in the order to apply it. */
export function apply(document: FlowDocument, operations: readonly Operation[]): Applied {
  const after = structuredClone(document);
  let inverses: Operation[] = [];
  for (const operation of operations) {
    const back = applyOne(after, operation).map((one) => ({ ...one, undo: true as const }));
    inverses = [...back, ...inverses];
  }
  return { document: after, inverses };
}

/** Like `apply`, but leaves out what makes no sense any more (somebody removed it). */
export function applyLeniently(document: FlowDocument, operations: readonly Operation[]): FlowDocument {
  const after = structuredClone(document);
  for (const operation of operations) {
    try {
      applyOne(after, operation);
    } catch (error) {
      if (!(error instanceof OperationRefused)) throw error;
    }
  }
  return after;
}

function applyOne(document: FlowDocument, operation: Operation): Operation[] {
  switch (operation.op) {
    case "add":
      return add(document, operation);
    case "remove":
      return remove(document, operation.kind, operation.id);
    case "set":
      return [set(document, operation)];
    case "move":
      return [move(document, operation.positions)];
    case "rename":
      return [rename(document, operation.kind, operation.id, operation.to)];
  }
}

type Of<Op extends Operation["op"]> = Extract<Operation, { op: Op }>;

function add(document: FlowDocument, { kind, id, value, position, index }: Of<"add">): Operation[] {
  const present = find(document, kind, id);
  if (present !== undefined) {
    if (same(present, value)) return [];
    throw new OperationRefused(`${kind} '${id}' must be a new id; got one that is used`);
  }
  const copy = structuredClone(value);
  const [group, slug] = place(kind, id, copy);
  const body = bodyOf(document, group);
  if (!body) throw new OperationRefused(`${kind} '${id}' must stand in a group of this flow`);
  if (kind === "connections") {
    const connection = copy as unknown as Connection;
    const named = slugOf(connection) === slug ? connection : { id: slug, ...connection };
    body.connections = inserted(body.connections ?? [], named, index);
  } else {
    if (DRAWN.includes(kind as never) && kindOf(document, id))
      throw new OperationRefused(`${kind} '${id}' must be a new id; got one that is used`);
    const entries = Object.entries((body[kind] ?? {}) as Record<string, Json>);
    setSection(body, kind, Object.fromEntries(inserted(entries, [slug, copy], index)));
  }
  if (position) document.layout = { ...document.layout, [id]: position };
  return [{ op: "remove", kind, id, before: copy }];
}

/** A connection's slug may hold a slash (`lake/out-throttle`), so its group is what is before it. */
function place(kind: Kind, id: string, value: Json): [string, string] {
  if (kind === "parameters") return ["", id];
  if (kind !== "connections") return split(id);
  const slug = slugOf(value as unknown as Connection);
  if (id === slug) return ["", slug];
  return id.endsWith(`/${slug}`) ? [id.slice(0, -slug.length - 1), slug] : split(id);
}

function inserted<T>(entries: T[], entry: T, index: number | undefined): T[] {
  const copy = [...entries];
  copy.splice(index ?? copy.length, 0, entry);
  return copy;
}

function setSection(body: Body, kind: Kind, entries: Record<string, unknown>): void {
  const target = body as Record<string, unknown>;
  if (Object.keys(entries).length) target[kind] = entries;
  else delete target[kind];
}

function remove(document: FlowDocument, kind: Kind, id: string): Operation[] {
  const value = find(document, kind, id);
  if (value === undefined) return [];
  if (kind === "connections") return [takeConnection(document, id)];
  const [group, slug] = kind === "parameters" ? ["", id] : split(id);
  const body = bodyOf(document, group) as Body;
  const taken = endingAt(document, kind, id).map((one) => takeConnection(document, one));
  const { [slug]: gone, ...rest } = body[kind] as Record<string, Json>;
  const index = Object.keys(body[kind] ?? {}).indexOf(slug);
  setSection(body, kind, rest);
  const positions = DRAWN.includes(kind as never) ? takePositions(document, id) : {};
  const { [id]: position, ...inner } = positions;
  const back: Operation = { op: "add", kind, id, value: gone as Json, index, ...(position && { position }) };
  const moved: Operation[] = Object.keys(inner).length ? [{ op: "move", positions: inner }] : [];
  return [back, ...taken.reverse(), ...moved];
}

/** Ids of connections that a removal takes along, the last ones of each list first. */
export function endingAt(document: FlowDocument, kind: Kind, id: string): string[] {
  const [group, slug] = split(id);
  const found = endsIn(document, group, slug, kind === "groups");
  if (group && (kind === "inputs" || kind === "outputs")) {
    const [outer, own] = split(group);
    found.push(...endsIn(document, outer, `${own}/${slug}`, false));
  }
  return found;
}

function endsIn(document: FlowDocument, group: string, name: string, isGroup: boolean): string[] {
  const body = bodyOf(document, group);
  if (!body) return [];
  return attached(body, name, isGroup).map((one) => joined(group, slugOf(one))).reverse();
}

function takeConnection(document: FlowDocument, id: string): Operation {
  const found = findConnection(document, id);
  if (!found) throw new OperationRefused(`connection '${id}' must be in the draft`);
  const rest = (found.body.connections ?? []).filter((_, index) => index !== found.index);
  if (rest.length) found.body.connections = rest;
  else delete found.body.connections;
  const value = found.connection as unknown as Json;
  return { op: "add", kind: "connections", id, value, index: found.index };
}

function takePositions(document: FlowDocument, id: string): Record<string, Position> {
  const taken: Record<string, Position> = {};
  const kept: Record<string, Position> = {};
  for (const [name, position] of Object.entries(document.layout ?? {}))
    (name === id || name.startsWith(`${id}/`) ? taken : kept)[name] = position;
  setLayout(document, kept);
  return taken;
}

function setLayout(document: FlowDocument, layout: Record<string, Position>): void {
  if (Object.keys(layout).length) document.layout = layout;
  else delete document.layout;
}

function set(document: FlowDocument, { kind, id, path, value, index }: Of<"set">): Operation {
  const component = find(document, kind, id);
  if (component === undefined || component === null || typeof component !== "object")
    throw new OperationRefused(`${kind} '${id}' must be in the draft; got an unknown id`);
  const old = valueAt(component, path) ?? null;
  const back: Of<"set"> = { op: "set", kind, id, path, value: old, before: value };
  if (value === null) {
    const at = unset(component, path);
    if (at !== undefined) back.index = at;
  } else put(component, path, structuredClone(value), index);
  if (kind === "connections") back.id = idOfConnection(document, component as unknown as Connection, id);
  return back;
}

type Container = Record<string | number, Json>;

function put(component: Json, path: (string | number)[], value: Json, index?: number): void {
  let parent = component as Container;
  for (const step of path.slice(0, -1)) {
    if (parent[step] === undefined) parent[step] = {};
    parent = parent[step] as Container;
  }
  const key = path.at(-1) as string;
  if (Array.isArray(parent) || key in parent || index === undefined) parent[key] = value;
  else {
    const items = inserted(Object.entries(parent), [key, value] as [string, Json], index);
    for (const name of Object.keys(parent)) delete parent[name];
    Object.assign(parent, Object.fromEntries(items));
  }
}

/** Remove a key, and objects that are empty by that; its place among the keys. */
function unset(component: Json, path: (string | number)[]): number | undefined {
  const key = String(path.at(-1));
  const parent = valueAt(component, path.slice(0, -1)) as Container | undefined;
  if (!parent || typeof parent !== "object" || !(key in parent)) return undefined;
  const index = Object.keys(parent).indexOf(key);
  delete parent[key];
  if (path.length > 1 && !Array.isArray(parent) && !Object.keys(parent).length)
    unset(component, path.slice(0, -1));
  return index;
}

function idOfConnection(document: FlowDocument, connection: Connection, id: string): string {
  for (const [group, body] of bodies(document))
    if (body.connections?.includes(connection)) return joined(group, slugOf(connection));
  return id;
}

function move(document: FlowDocument, positions: Record<string, Position | null>): Operation {
  const layout = { ...document.layout };
  const old: Record<string, Position | null> = {};
  for (const [id, position] of Object.entries(positions)) {
    if (position && !kindOf(document, id))
      throw new OperationRefused(`component '${id}' must be in the draft to move`);
    old[id] = layout[id] ?? null;
    if (position) layout[id] = position;
    else delete layout[id];
  }
  setLayout(document, layout);
  return { op: "move", positions: old, before: positions };
}

function rename(document: FlowDocument, kind: Kind, id: string, to: string): Operation {
  const [group, old] = kind === "parameters" ? ["", id] : split(id);
  const [target, slug] = kind === "parameters" ? ["", to] : split(to);
  const body = bodyOf(document, group);
  if (!body || find(document, kind, id) === undefined || group !== target)
    throw new OperationRefused(`${kind} '${id}' must be in the draft and stay in its group`);
  const entries = Object.entries(body[kind as DrawnSection] ?? {});
  setSection(body, kind, Object.fromEntries(entries.map(([key, value]) => [key === old ? slug : key, value])));
  if (DRAWN.includes(kind as never)) followRename(document, group, old, slug);
  return { op: "rename", kind, id: to, to: id };
}

type DrawnSection = (typeof DRAWN)[number];

function followRename(document: FlowDocument, group: string, old: string, slug: string): void {
  const [outer, own] = split(group);
  const follow = (body: Body | undefined, from: string, to: string) => {
    for (const one of body?.connections ?? [])
      for (const end of ["from", "to"] as const)
        if (one[end] === from || one[end].startsWith(`${from}/`)) one[end] = to + one[end].slice(from.length);
  };
  follow(bodyOf(document, group), old, slug);
  if (group) follow(bodyOf(document, outer), `${own}/${old}`, `${own}/${slug}`);
  const [from, to] = [joined(group, old), joined(group, slug)];
  const moved = (id: string) => (id === from || id.startsWith(`${from}/`) ? to + id.slice(from.length) : id);
  const layout = Object.entries(document.layout ?? {}).map(([id, at]) => [moved(id), at] as const);
  setLayout(document, Object.fromEntries(layout));
}
