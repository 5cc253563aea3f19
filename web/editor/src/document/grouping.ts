/** Components of one group into a group of their own, and back. */

import type { Body, Connection, FlowDocument, Json, Operation, Position } from "./types";
import { bodyOf, find, freshSlug, joined, kindOf, slugOf, split } from "./tree";

/** Operations that move components into a new group; a port for each connection that crosses. */
export function group(document: FlowDocument, ids: string[]): { id: string; operations: Operation[] } {
  const [outer] = split(ids[0] as string);
  const body = bodyOf(document, outer) as Body;
  const slug = freshSlug(body, "group");
  const inside = new Set(ids.map((id) => split(id)[1]));
  const within = (end: string) => inside.has(end.split("/")[0] as string);
  const inner: Body = {};
  for (const id of ids) {
    const kind = kindOf(document, id);
    if (kind) ((inner[kind] ??= {}) as unknown as Record<string, Json>)[split(id)[1]] = find(document, kind, id) as Json;
  }
  const crossing: Connection[] = [];
  for (const one of body.connections ?? []) {
    if (within(one.from) && within(one.to)) (inner.connections ??= []).push(one);
    else if (within(one.from)) crossing.push({ ...one, from: leave(inner, slug, one) });
    else if (within(one.to)) crossing.push({ ...one, to: enter(inner, slug, one) });
  }
  const places = placed(document, outer, slug, ids, inner);
  const operations: Operation[] = [
    ...ids.map((id): Operation => ({ op: "remove", kind: kindOf(document, id) as "processors", id })),
    { op: "add", kind: "groups", id: joined(outer, slug), value: inner as unknown as Json },
    ...crossing.map((value): Operation => {
      const { id: _, relationships, ...rest } = value;
      const kept = value.from.startsWith(`${slug}/`) || !relationships ? rest : { ...rest, relationships };
      return { op: "add", kind: "connections", id: joined(outer, slugOf(kept)), value: kept as unknown as Json };
    }),
    { op: "move", positions: places },
  ];
  return { id: joined(outer, slug), operations };
}

function leave(inner: Body, slug: string, one: Connection): string {
  const port = freshSlug(inner, "out");
  (inner.outputs ??= {})[port] = {};
  const wire: Connection = { from: one.from, ...(one.relationships && { relationships: one.relationships }), to: port };
  (inner.connections ??= []).push(wire);
  return `${slug}/${port}`;
}

function enter(inner: Body, slug: string, one: Connection): string {
  const port = freshSlug(inner, "in");
  (inner.inputs ??= {})[port] = {};
  (inner.connections ??= []).push({ from: port, to: one.to });
  return `${slug}/${port}`;
}

function placed(document: FlowDocument, outer: string, slug: string, ids: string[], inner: Body): Record<string, Position> {
  const at = ids.map((id) => document.layout?.[id] ?? ([0, 0] as Position));
  const left = Math.min(...at.map(([x]) => x));
  const top = Math.min(...at.map(([, y]) => y));
  const right = Math.max(...at.map(([x]) => x));
  const group = joined(outer, slug);
  const places: Record<string, Position> = { [group]: [left, top] };
  for (const [name, position] of Object.entries(document.layout ?? {}))
    if (ids.some((id) => name === id || name.startsWith(`${id}/`)))
      places[joined(group, outer ? name.slice(outer.length + 1) : name)] = [position[0] - left, position[1] - top];
  Object.keys(inner.inputs ?? {}).forEach((port, row) => (places[joined(group, port)] ??= [-260, row * 100]));
  Object.keys(inner.outputs ?? {}).forEach((port, row) => (places[joined(group, port)] ??= [right - left + 360, row * 100]));
  return places;
}

/** The content of a group back into the group around it; its ports vanish where they are joined. */
export function ungroup(document: FlowDocument, id: string): { ids: string[]; operations: Operation[] } {
  const [outer, slug] = split(id);
  const inner = bodyOf(document, id);
  const body = bodyOf(document, outer);
  if (!inner || !body) return { ids: [], operations: [] };
  const ports = new Set([...Object.keys(inner.inputs ?? {}), ...Object.keys(inner.outputs ?? {})]);
  const names = new Map<string, string>();
  const operations: Operation[] = [{ op: "remove", kind: "groups", id }];
  const [x, y] = document.layout?.[id] ?? [0, 0];
  const positions: Record<string, Position> = {};
  const rest: Body = { ...body, groups: { ...body.groups } };
  delete rest.groups?.[slug];
  for (const kind of ["processors", "funnels", "groups", "labels"] as const)
    for (const [name, value] of Object.entries(inner[kind] ?? {})) {
      const fresh = freshSlug(rest, name, new Set(names.values()));
      names.set(name, fresh);
      operations.push({ op: "add", kind, id: joined(outer, fresh), value: value as unknown as Json });
      const [dx, dy] = document.layout?.[joined(id, name)] ?? [0, 0];
      positions[joined(outer, fresh)] = [x + dx, y + dy];
    }
  const renamed = (end: string) => end.replace(/^[^/]+/, (first) => names.get(first) ?? first);
  for (const one of rewired(body.connections ?? [], inner.connections ?? [], slug, ports)) {
    const value = one.outer ? one.connection : { ...one.connection, from: renamed(one.connection.from), to: renamed(one.connection.to) };
    const { id: _, ...kept } = { ...value, from: one.renameFrom ? renamed(value.from) : value.from, to: one.renameTo ? renamed(value.to) : value.to };
    operations.push({ op: "add", kind: "connections", id: joined(outer, slugOf(kept)), value: kept as unknown as Json });
  }
  if (Object.keys(positions).length) operations.push({ op: "move", positions });
  return { ids: Object.keys(positions), operations };
}

interface Wire {
  connection: Connection;
  outer?: boolean;
  renameFrom?: boolean;
  renameTo?: boolean;
}

/** Inner connections as they are; each pair that meets in a port becomes one. */
function rewired(outside: Connection[], inside: Connection[], slug: string, ports: Set<string>): Wire[] {
  const wires: Wire[] = inside.filter((one) => !ports.has(one.from) && !ports.has(one.to)).map((connection) => ({ connection }));
  for (const one of outside) {
    if (one.to.startsWith(`${slug}/`))
      for (const next of inside.filter((inner) => `${slug}/${inner.from}` === one.to))
        wires.push({ connection: { ...one, to: next.to }, outer: true, renameTo: true });
    if (one.from.startsWith(`${slug}/`))
      for (const last of inside.filter((inner) => `${slug}/${inner.to}` === one.from)) {
        const connection = { ...one, from: last.from, ...(last.relationships && { relationships: last.relationships }) };
        wires.push({ connection, outer: true, renameFrom: true });
      }
  }
  return wires;
}
