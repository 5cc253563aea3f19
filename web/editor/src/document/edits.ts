/** What a person does, as operations. */

import type { Connection, FlowDocument, Json, Kind, Operation, Position, Processor } from "./types";
import { bodyOf, find, freshSlug, joined, kindOf, same, slugOf, split, valueAt } from "./tree";

export const GRID = 20;

export function snapped([x, y]: Position): Position {
  return [Math.round(x / GRID) * GRID, Math.round(y / GRID) * GRID];
}

/** A new component in a group; its id is the name of its type, made unique. */
export function addComponent(
  document: FlowDocument,
  group: string,
  kind: Kind,
  wanted: string,
  value: Json,
  position: Position,
): { id: string; operation: Operation } {
  const id = joined(group, freshSlug(bodyOf(document, group), wanted));
  return { id, operation: { op: "add", kind, id, value, position: snapped(position) } };
}

/** A connection; where the two are connected already, its relationships join that one. */
export function connect(
  document: FlowDocument,
  group: string,
  from: string,
  to: string,
  relationships: string[],
): Operation[] {
  const body = bodyOf(document, group);
  const present = body?.connections?.find((one) => one.from === from && one.to === to);
  const freed = releaseEnds(document, joined(group, from), relationships);
  if (present) {
    const before = present.relationships ?? [];
    const value = [...new Set([...before, ...relationships])];
    if (value.length === before.length) return freed;
    const id = joined(group, slugOf(present));
    return [...freed, { op: "set", kind: "connections", id, path: ["relationships"], value, before }];
  }
  const value: Connection = relationships.length ? { from, relationships, to } : { from, to };
  return [...freed, { op: "add", kind: "connections", id: joined(group, `${from}-${to}`), value: value as unknown as Json }];
}

/** A relationship that is connected must not end at its processor any more. */
function releaseEnds(document: FlowDocument, id: string, relationships: string[]): Operation[] {
  const processor = find(document, "processors", id) as unknown as Processor | undefined;
  const before = processor?.auto_terminate ?? [];
  const value = before.filter((name) => !relationships.includes(name));
  return value.length === before.length ? [] : [setValue(document, "processors", id, ["auto_terminate"], value.length ? value : null)];
}

/** `null` unsets. */
export function setValue(
  document: FlowDocument,
  kind: Kind | "flow",
  id: string,
  path: (string | number)[],
  value: Json,
): Extract<Operation, { op: "set" }> {
  return { op: "set", kind, id, path, value, before: valueAt(find(document, kind, id), path) ?? null };
}

export function removeAll(document: FlowDocument, ids: string[], connections: string[]): Operation[] {
  const components = ids.flatMap((id): Operation[] => {
    const kind = kindOf(document, id);
    return kind ? [{ op: "remove", kind, id }] : [];
  });
  return [...connections.map((id): Operation => ({ op: "remove", kind: "connections", id })), ...components];
}

export function moveAll(document: FlowDocument, positions: Record<string, Position>): Operation | undefined {
  const changed = Object.entries(positions)
    .map(([id, at]) => [id, [Math.round(at[0]), Math.round(at[1])] as Position] as const)
    .filter(([id, at]) => !same(document.layout?.[id], at));
  if (!changed.length) return undefined;
  const before = Object.fromEntries(changed.map(([id]) => [id, document.layout?.[id] ?? null]));
  return { op: "move", positions: Object.fromEntries(changed), before };
}

/** Put a component into a connection: two connections for one. */
export function splice(document: FlowDocument, edge: string, id: string, outcome: string[]): Operation[] {
  const [group, slug] = split(id);
  const old = find(document, "connections", edge) as unknown as Connection | undefined;
  if (!old) return [];
  const first: Connection = { from: old.from, ...(old.relationships && { relationships: old.relationships }), to: slug };
  const second: Connection = { from: slug, ...(outcome.length && { relationships: outcome }), to: old.to };
  const added = [first, second].map((value): Operation => {
    return { op: "add", kind: "connections", id: joined(group, slugOf(value)), value: value as unknown as Json };
  });
  return [{ op: "remove", kind: "connections", id: edge }, ...added];
}
