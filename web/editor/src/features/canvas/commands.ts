/** What a person can do on the canvas, called by mouse, keyboard, menu and command palette alike. */

import { copy, parseClipping, paste } from "../../document/clipboard";
import type { Clipping } from "../../document/clipboard";
import { addComponent, connect, moveAll, removeAll, snapped, splice } from "../../document/edits";
import { group, ungroup } from "../../document/grouping";
import { aligned, arranged, distributed, positionsIn, sizeOf } from "../../document/layout";
import type { Edge } from "../../document/layout";
import { refusal, relationshipsOf } from "../../document/rules";
import { bodyOf, find, joined, kindOf, split } from "../../document/tree";
import type { Connection, FlowDocument, Json, Kind, Operation, Position, Processor } from "../../document/types";
import { mayEdit } from "../../api/client";
import { facts, secretProperties } from "../../state/catalogue-store";
import { act, useDocument } from "../../state/document-store";
import { useUi } from "../../state/ui-store";

const ui = useUi.getState;

function here(): { document: FlowDocument; group: string } | undefined {
  const { document } = useDocument.getState();
  if (document && !mayEdit) ui().toast("your role may look, but not edit", "bad");
  return document && mayEdit ? { document, group: ui().group } : undefined;
}

export interface Insert {
  kind: Kind;
  wanted: string;
  value: Json;
}

export const insertOf = (type: string): Insert => ({ kind: "processors", wanted: type, value: { type } });

/** Put a new component somewhere; joined to `from`, or into the connection `edge`. */
export function insert({ kind, wanted, value }: Insert, at: Position, joinTo: { from?: string; edge?: string } = {}): string | undefined {
  const place = here();
  if (!place) return undefined;
  const { id, operation } = addComponent(place.document, place.group, kind, wanted, value, at);
  act(`add ${wanted}`, [operation, ...joining(place.document, id, kind, value, joinTo)]);
  ui().select([id]);
  return id;
}

function joining(document: FlowDocument, id: string, kind: Kind, value: Json, { from, edge }: { from?: string; edge?: string }): Operation[] {
  const [group, slug] = split(id);
  const type = kind === "processors" ? String((value as { type?: string }).type) : "";
  if (edge) return splice(document, edge, id, type ? firstOutcome({ type }) : []);
  if (!from || (type && facts(type)?.input === "forbidden")) return [];
  const source = find(document, "processors", joined(group, from)) as unknown as Processor | undefined;
  return connect(document, group, from, slug, source ? firstOutcome(source) : []);
}

function firstOutcome(processor: Processor): string[] {
  const names = relationshipsOf(processor, facts(processor.type));
  const good = names.find((one) => one.name === "success") ?? names.find((one) => !one.failure) ?? names[0];
  return good ? [good.name] : [];
}

/** A free place near the middle of what is seen. */
export function freePlace([x, y]: Position): Position {
  const { document } = useDocument.getState();
  const places = document ? Object.values(positionsIn(document, ui().group)) : [];
  let at: Position = [x - 120, y - 52];
  while (places.some(([px, py]) => Math.abs(px - at[0]) < 60 && Math.abs(py - at[1]) < 60)) at = [at[0] + 60, at[1] + 60];
  return at;
}

/** Begin a connection: refuse it with the reason, or ask for relationships and ports. */
export function startConnection(source: string, target: string): void {
  const place = here();
  if (!place) return;
  const reason = refusal(place.document, facts, source, target);
  if (reason) {
    ui().toast(`Cannot connect: ${reason}`, "bad");
    return;
  }
  const [from, to] = [split(source)[1], split(target)[1]];
  const plain = (id: string) => ["funnels", "inputs", "outputs"].includes(kindOf(place.document, id) ?? "");
  if (plain(source) && plain(target)) finishConnection(from, to, []);
  else ui().show({ connection: { source: from, target: to } });
}

export function finishConnection(from: string, to: string, relationships: string[]): void {
  const place = here();
  if (place) act(`connect ${from} to ${to}`, connect(place.document, place.group, from, to, relationships));
  ui().show({ connection: undefined });
}

export function removeSelected(): void {
  const place = here();
  const { nodes, edges, select, toast } = ui();
  if (!place || !(nodes.size + edges.size)) return;
  const operations = removeAll(place.document, [...nodes], [...edges]);
  if (!act(nodes.size + edges.size > 1 ? "delete selection" : "delete", operations)) return;
  select([]);
  toast(`Deleted ${[...nodes, ...edges].map((id) => split(id)[1]).slice(0, 3).join(", ")}${nodes.size + edges.size > 3 ? " …" : ""}`, "info", true);
}

let internal = "";

export async function copySelected(): Promise<void> {
  const { document } = useDocument.getState();
  const { nodes, toast } = ui();
  if (!document || !nodes.size) return;
  internal = JSON.stringify(copy(document, [...nodes], secretProperties), null, 2);
  await navigator.clipboard?.writeText(internal).catch(() => undefined);
  toast(`Copied ${nodes.size} component${nodes.size > 1 ? "s" : ""}`);
}

export async function cutSelected(): Promise<void> {
  await copySelected();
  removeSelected();
}

/** Paste a clipping, or a whole flow's text; at a place, or a little beside where it was. */
export function pasteText(text: string, at?: Position): void {
  const place = here();
  const clipping = parseClipping(text) ?? parseClipping(internal);
  if (!place) return;
  if (!clipping) {
    if (text.trim()) ui().toast("The clipboard holds no components of a flow", "bad");
    return;
  }
  const { ids, operations } = paste(place.document, place.group, clipping, at && offsetTo(clipping, at));
  if (act(`paste ${ids.length}`, operations)) ui().select(ids);
}

/** From a menu: what another program or tab has put on the clipboard, else what was copied here. */
export async function pasteInternal(at: Position): Promise<void> {
  const text = await navigator.clipboard?.readText().catch(() => "");
  pasteText(text ?? "", at);
}

export function duplicateSelected(): void {
  const place = here();
  const { nodes } = ui();
  if (!place || !nodes.size) return;
  const { ids, operations } = paste(place.document, place.group, copy(place.document, [...nodes], () => []), [60, 60]);
  if (act("duplicate", operations)) ui().select(ids);
}

export function groupSelected(): void {
  const place = here();
  const { nodes } = ui();
  if (!place || !nodes.size) return;
  const { id, operations } = group(place.document, [...nodes]);
  if (act("group", operations)) ui().select([id]);
}

export function ungroupSelected(): void {
  const place = here();
  const [id] = ui().nodes;
  if (!place || !id || !bodyOf(place.document, id)) return;
  const { ids, operations } = ungroup(place.document, id);
  if (act("ungroup", operations)) ui().select(ids);
}

export function move(positions: Record<string, Position>, key = ""): void {
  const place = here();
  const operation = place && moveAll(place.document, positions);
  if (operation) act("move", [operation], key);
}

export async function arrange(): Promise<void> {
  const place = here();
  if (!place) return;
  move(await arranged(place.document, place.group));
  ui().show({ centre: "*" });
}

export function align(edge: Edge): void {
  const place = here();
  if (!place || ui().nodes.size < 2) return;
  move(aligned(boxesOf(place.document, place.group), edge));
}

function offsetTo({ components }: Clipping, [x, y]: Position): Position {
  const left = Math.min(...components.map((one) => one.position[0]));
  const top = Math.min(...components.map((one) => one.position[1]));
  return snapped([x - left, y - top]);
}

function boxesOf(document: FlowDocument, group: string) {
  const places = positionsIn(document, group);
  const body = bodyOf(document, group);
  return [...ui().nodes].flatMap((id) => {
    const kind = kindOf(document, id);
    return body && kind ? [{ id, at: places[id] ?? ([0, 0] as Position), size: sizeOf(body, kind, split(id)[1]) }] : [];
  });
}

/** Equal gaps between what is selected: 0 from left to right, 1 from top to bottom. */
export function distribute(axis: 0 | 1): void {
  const place = here();
  if (place) move(distributed(boxesOf(place.document, place.group), axis));
}

export function selectAll(): void {
  const { document } = useDocument.getState();
  if (document) ui().select(Object.keys(positionsIn(document, ui().group)));
}

/** Open what is selected: enter a group, or list a queue. */
export function openSelected(): void {
  const { document } = useDocument.getState();
  const [id] = ui().nodes;
  const [edge] = ui().edges;
  if (edge) ui().show({ dialog: { kind: "queue", connection: edge } });
  else if (document && id && bodyOf(document, id)) ui().enter(id);
}

/** Keyboard connection: C on the source, then C on the target. */
export function connectByKey(): void {
  const { armed, nodes, show, toast } = ui();
  const [id] = nodes;
  if (!id) return;
  if (!armed) {
    show({ armed: id });
    toast("Now select where it leads to and press C again; Escape ends it");
  } else {
    show({ armed: undefined });
    if (armed !== id) startConnection(armed, id);
  }
}

export function editConnection(id: string): void {
  const { document } = useDocument.getState();
  const value = document && (find(document, "connections", id) as unknown as Connection | undefined);
  if (value) ui().show({ connection: { source: value.from, target: value.to, edit: id } });
}
