/** The way of a FlowFile through the drawn flow, and what each event changed. */

import { bodies, joined, slugOf, split } from "./tree";
import type { FlowDocument } from "./types";

/** What of an event matters here; ids grow with time. */
export interface Happened {
  id: number;
  type: string;
  processor: string;
  flowfile: string;
  connection?: string;
  attributes?: Record<string, string>;
  parents?: string[];
}

export type Path = Map<string, number[]>;

/** Components that the events touched, with the numbers of the events there; groups have those of
 * what is inside, and ports, funnels and connections between have none. */
export function pathOf(document: FlowDocument, events: Happened[]): Path {
  const path: Path = new Map();
  events.forEach((event, index) => {
    for (let id = event.processor; id; id = split(id)[0]) path.set(id, [...(path.get(id) ?? []), index + 1]);
  });
  const wires = wiresOf(document);
  for (const { connection } of events) if (connection) follow(connection, wires, path);
  return path;
}

interface Wire {
  id: string;
  from: string;
  to: string;
}

/** Connections with the full ids of their ends: a port is one component, seen from both sides. */
function wiresOf(document: FlowDocument): Map<string, Wire> {
  const wires = new Map<string, Wire>();
  for (const [group, body] of bodies(document))
    for (const one of body.connections ?? []) {
      const id = joined(group, slugOf(one));
      wires.set(id, { id, from: joined(group, one.from), to: joined(group, one.to) });
    }
  return wires;
}

/** Mark a connection, and what leads to it through ports and funnels from where the path was. */
function follow(id: string, wires: Map<string, Wire>, path: Path): void {
  const wire = wires.get(id);
  if (!wire) return;
  mark(id, path);
  reach(wire.from, wires, path, new Set());
}

/** Whether the path leads to a component; marks the ports, funnels and connections between. */
function reach(component: string, wires: Map<string, Wire>, path: Path, seen: Set<string>): boolean {
  if ((path.get(component) ?? []).length || inReference(component, path)) return true;
  if (seen.has(component)) return false;
  seen.add(component);
  let found = false;
  for (const wire of wires.values()) {
    if (wire.to !== component || !reach(wire.from, wires, path, seen)) continue;
    mark(wire.id, path);
    mark(component, path);
    found = true;
  }
  return found;
}

/** A port of a group that is another flow's file: what is inside is not in this document. */
function inReference(component: string, path: Path): boolean {
  const [group] = split(component);
  return !!group && (path.get(group) ?? []).length > 0 && ![...path.keys()].some((id) => id.startsWith(`${group}/`) && path.get(id)?.length);
}

function mark(id: string, path: Path): void {
  if (!path.has(id)) path.set(id, []);
}

/** Attributes of the same FlowFile at its next event; undefined where none followed. */
export function afterwards(events: Happened[], event: Happened): Record<string, string> | undefined {
  return events.find((one) => one.id > event.id && one.flowfile === event.flowfile)?.attributes;
}

export interface AttributeRow {
  name: string;
  before: string | undefined;
  after: string | undefined;
  change: "" | "added" | "removed" | "changed";
}

/** Attributes before and after, what changed first. */
export function attributeRows(before: Record<string, string>, after: Record<string, string> | undefined): AttributeRow[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after ?? {})])].sort();
  const rows = names.map((name): AttributeRow => {
    const [old, now] = [before[name], after?.[name]];
    const change = !after || old === now ? "" : old === undefined ? "added" : now === undefined ? "removed" : "changed";
    return { name, before: old, after: now, change };
  });
  return [...rows.filter((row) => row.change), ...rows.filter((row) => !row.change)];
}
