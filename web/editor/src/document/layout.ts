/** Positions: for what has none yet, and for everything by dagre (loaded when it is asked for). */

import { DRAWN } from "./types";
import type { Body, DrawnKind, FlowDocument, Label, Position } from "./types";
import { bodyOf, joined } from "./tree";

export const SIZES: Record<DrawnKind, [number, number]> = {
  processors: [240, 104],
  groups: [240, 104],
  inputs: [150, 48],
  outputs: [150, 48],
  funnels: [48, 48],
  labels: [200, 100],
};

export function sizeOf(body: Body, kind: DrawnKind, slug: string): [number, number] {
  if (kind !== "labels") return SIZES[kind];
  const label = body.labels?.[slug] as Label;
  return [label.width ?? 200, label.height ?? 100];
}

export interface Drawn {
  id: string;
  slug: string;
  kind: DrawnKind;
}

export function drawnIn(document: FlowDocument, group: string): Drawn[] {
  const body = bodyOf(document, group);
  if (!body) return [];
  return DRAWN.flatMap((kind) => Object.keys(body[kind] ?? {}).map((slug) => ({ id: joined(group, slug), slug, kind })));
}

/** Pairs of slugs of one group that are connected. */
export function links(body: Body | undefined): [string, string][] {
  const first = (end: string) => end.split("/")[0] as string;
  return (body?.connections ?? []).map((one) => [first(one.from), first(one.to)]);
}

/** A position for every component of a group: its own, else a column by its distance from sources. */
export function positionsIn(document: FlowDocument, group: string): Record<string, Position> {
  const drawn = drawnIn(document, group);
  const missing = drawn.filter(({ id }) => !document.layout?.[id]);
  const found = Object.fromEntries(drawn.flatMap(({ id }) => (document.layout?.[id] ? [[id, document.layout[id]]] : [])));
  if (!missing.length) return found;
  const ranks = ranked(missing.map(({ slug }) => slug), links(bodyOf(document, group)));
  const lowest = Math.max(-180, ...Object.values(found).map(([, y]) => y));
  const rows: number[] = [];
  for (const { id, slug } of missing) {
    const column = ranks.get(slug) ?? 0;
    const row = (rows[column] = (rows[column] ?? -1) + 1);
    found[id] = [column * 360, lowest + 180 + row * 180];
  }
  return found;
}

function ranked(slugs: string[], pairs: [string, string][]): Map<string, number> {
  const ranks = new Map(slugs.map((slug) => [slug, 0]));
  for (let pass = 0; pass < slugs.length; pass++) {
    let changed = false;
    for (const [from, to] of pairs) {
      const least = (ranks.get(from) ?? -1) + 1;
      if (ranks.has(to) && least > (ranks.get(to) as number) && least < slugs.length) {
        ranks.set(to, least);
        changed = true;
      }
    }
    if (!changed) break;
  }
  return ranks;
}

/** Left to right, without overlap, on the grid. */
export async function arranged(document: FlowDocument, group: string): Promise<Record<string, Position>> {
  const { Graph, layout } = await import("@dagrejs/dagre");
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 60, ranksep: 140 });
  graph.setDefaultEdgeLabel(() => ({}));
  const body = bodyOf(document, group) as Body;
  for (const { slug, kind } of drawnIn(document, group)) {
    const [width, height] = sizeOf(body, kind, slug);
    graph.setNode(slug, { width, height });
  }
  for (const [from, to] of links(body)) graph.setEdge(from, to);
  layout(graph);
  const snap = (value: number) => Math.round(value / 20) * 20;
  return Object.fromEntries(
    graph.nodes().map((slug) => {
      const { x, y, width, height } = graph.node(slug) as { x: number; y: number; width: number; height: number };
      return [joined(group, slug), [snap(x - width / 2), snap(y - height / 2)] as Position];
    }),
  );
}

export type Edge = "left" | "centre" | "right" | "top" | "middle" | "bottom";

/** Positions of components in one line. */
export function aligned(
  boxes: { id: string; at: Position; size: [number, number] }[],
  edge: Edge,
): Record<string, Position> {
  const axis = edge === "left" || edge === "centre" || edge === "right" ? 0 : 1;
  const share = edge === "left" || edge === "top" ? 0 : edge === "right" || edge === "bottom" ? 1 : 0.5;
  const lines = boxes.map(({ at, size }) => at[axis] + size[axis] * share);
  const line = share === 0 ? Math.min(...lines) : share === 1 ? Math.max(...lines) : lines.reduce((a, b) => a + b, 0) / lines.length;
  return Object.fromEntries(
    boxes.map(({ id, at, size }) => {
      const moved: Position = [...at];
      moved[axis] = Math.round(line - size[axis] * share);
      return [id, moved];
    }),
  );
}

/** Positions with equal gaps between components, from the first to the last one. */
export function distributed(boxes: { id: string; at: Position; size: [number, number] }[], axis: 0 | 1): Record<string, Position> {
  const sorted = [...boxes].sort((a, b) => a.at[axis] - b.at[axis]);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (!first || !last || sorted.length < 3) return {};
  const filled = sorted.reduce((sum, one) => sum + one.size[axis], 0);
  const gap = (last.at[axis] + last.size[axis] - first.at[axis] - filled) / (sorted.length - 1);
  let next = first.at[axis];
  return Object.fromEntries(
    sorted.map(({ id, at, size }) => {
      const moved: Position = [...at];
      moved[axis] = Math.round(next);
      next += size[axis] + gap;
      return [id, moved];
    }),
  );
}
