/** Document → nodes and edges of React Flow. The same objects come back when nothing changed. */

import { MarkerType, Position as Side } from "@xyflow/react";
import type { Edge, Node } from "@xyflow/react";
import { drawnIn, positionsIn, sizeOf } from "../../document/layout";
import { bodyOf, joined, slugOf } from "../../document/tree";
import type { Body, Connection, DrawnKind, FlowDocument, Position } from "../../document/types";

export type CanvasNode = Node<{ value: unknown; slug: string }, DrawnKind>;
export type CanvasEdge = Edge<{ value: Connection }, "queue">;

interface Cached {
  key: unknown[];
  node: CanvasNode;
}

export class Mapper {
  private nodes = new Map<string, Cached>();
  private edges = new Map<string, { key: unknown[]; edge: CanvasEdge }>();

  nodesOf(
    document: FlowDocument,
    group: string,
    selected: ReadonlySet<string>,
    moving: Record<string, Position>,
    editable: boolean,
  ): CanvasNode[] {
    const body = bodyOf(document, group);
    if (!body) return [];
    const places = positionsIn(document, group);
    const next = new Map<string, Cached>();
    const nodes = drawnIn(document, group).map(({ id, slug, kind }) => {
      const [x, y] = moving[id] ?? places[id] ?? [0, 0];
      const value = (body[kind] as Record<string, unknown>)[slug];
      const [width, height] = sizeOf(body, kind, slug);
      const key = [value, x, y, selected.has(id), width, height, editable];
      const old = this.nodes.get(id);
      const fresh = old && equal(old.key, key) ? old : { key, node: makeNode(id, slug, kind, body, [x, y], [width, height], selected.has(id)) };
      next.set(id, fresh);
      return fresh.node;
    });
    this.nodes = next;
    return nodes;
  }

  edgesOf(document: FlowDocument, group: string, selected: ReadonlySet<string>): CanvasEdge[] {
    const next = new Map<string, { key: unknown[]; edge: CanvasEdge }>();
    const edges = (bodyOf(document, group)?.connections ?? []).map((value) => {
      const id = joined(group, slugOf(value));
      const key = [value, selected.has(id)];
      const old = this.edges.get(id);
      const fresh = old && equal(old.key, key) ? old : { key, edge: makeEdge(id, group, value, selected.has(id)) };
      next.set(id, fresh);
      return fresh.edge;
    });
    this.edges = next;
    return edges;
  }
}

function equal(one: unknown[], other: unknown[]): boolean {
  return one.every((value, index) => value === other[index]);
}

const NOUNS: Record<DrawnKind, string> = {
  processors: "processor", groups: "group", inputs: "input port", outputs: "output port", funnels: "funnel", labels: "label",
};

function makeNode(
  id: string,
  slug: string,
  kind: DrawnKind,
  body: Body,
  [x, y]: Position,
  [width, height]: [number, number],
  selected: boolean,
): CanvasNode {
  const value = (body[kind] as Record<string, { name?: string; type?: string }>)[slug];
  return {
    id,
    type: kind,
    position: { x, y },
    data: { value, slug },
    width,
    height,
    measured: { width, height },
    selected,
    ...(kind === "labels" ? { zIndex: -1 } : { handles: handles(kind, width, height) }),
    ariaLabel: `${NOUNS[kind]} ${value?.name || slug}${value?.type ? `, ${value.type}` : ""}`,
    ariaRole: "group",
    domAttributes: { "data-testid": `node-${id}` } as object,
  };
}

function handles(kind: DrawnKind, width: number, height: number) {
  const box = { width: 12, height: 12, y: height / 2 - 6 };
  const source = { ...box, type: "source" as const, position: Side.Right, x: width - 6 };
  const target = { ...box, type: "target" as const, position: Side.Left, x: -6 };
  return kind === "inputs" ? [source] : kind === "outputs" ? [target] : [source, target];
}

function makeEdge(id: string, group: string, value: Connection, selected: boolean): CanvasEdge {
  const end = (name: string) => joined(group, name.split("/")[0] as string);
  return {
    id,
    type: "queue",
    source: end(value.from),
    target: end(value.to),
    data: { value },
    selected,
    markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, color: "var(--edge)" },
    ariaLabel: `connection from ${value.from} to ${value.to}${value.relationships ? `, ${value.relationships.join(", ")}` : ""}`,
    domAttributes: { "data-testid": `edge-${id}` } as object,
  };
}
