/** All shortcuts in one table: what they do, when, and what the shortcut map shows. */

import { kindOf } from "../../document/tree";
import { redo, undo, useDocument } from "../../state/document-store";
import { useUi } from "../../state/ui-store";
import {
  arrange, connectByKey, copySelected, cutSelected, duplicateSelected, groupSelected, openSelected,
  removeSelected, selectAll, ungroupSelected,
} from "./commands";
import { openProvenance } from "../../state/provenance-store";
import { go } from "../../ui/router";
import { commandSelected } from "./running";

export interface Shortcut {
  keys: string;
  title: string;
  /** Runs it; undefined for what the browser or the canvas does itself. */
  run?: () => void;
}

const ui = useUi.getState;

export const SHORTCUTS: Shortcut[] = [
  { keys: "Ctrl+K", title: "Search and commands: insert, find, do", run: () => ui().show({ dialog: { kind: "commands" } }) },
  { keys: "Ctrl+Z", title: "Undo", run: undo },
  { keys: "Ctrl+Shift+Z", title: "Do again", run: redo },
  { keys: "Ctrl+Y", title: "Do again", run: redo },
  { keys: "Delete", title: "Delete what is selected", run: removeSelected },
  { keys: "Backspace", title: "Delete what is selected", run: removeSelected },
  { keys: "Ctrl+C", title: "Copy", run: () => void copySelected() },
  { keys: "Ctrl+X", title: "Cut", run: () => void cutSelected() },
  { keys: "Ctrl+V", title: "Paste" },
  { keys: "Ctrl+D", title: "Duplicate", run: duplicateSelected },
  { keys: "Ctrl+A", title: "Select everything in this group", run: selectAll },
  { keys: "C", title: "Connect: on the source, then on the target", run: connectByKey },
  { keys: "Enter", title: "Open a group, or the queue of a connection", run: openSelected },
  { keys: "S", title: "Start what is selected, else the flow", run: () => commandSelected("start") },
  { keys: "Shift+S", title: "Stop what is selected, else the flow", run: () => commandSelected("stop") },
  { keys: "R", title: "Run once what is selected, else the flow", run: () => commandSelected("run-once") },
  { keys: "Shift+F10", title: "Menu of what is selected", run: openMenu },
  { keys: "ContextMenu", title: "Menu of what is selected", run: openMenu },
  { keys: "Arrow keys", title: "Move what is selected (with Shift further)" },
  { keys: "Ctrl+G", title: "Group", run: groupSelected },
  { keys: "Ctrl+Shift+G", title: "Ungroup", run: ungroupSelected },
  { keys: "L", title: "Lay out this group anew", run: () => void arrange() },
  { keys: "F", title: "Show everything", run: () => ui().show({ centre: "*" }) },
  { keys: "Ctrl+Enter", title: "Deploy", run: () => ui().show({ dialog: { kind: "deploy" } }) },
  { keys: "K", title: "Kafka: topics, groups, records", run: () => go(`flows/${useDocument.getState().flow}/kafka`) },
  { keys: "E", title: "Provenance: events of FlowFiles", run: provenanceOfSelected },
  { keys: "P", title: "Problems", run: () => ui().show({ dock: ui().dock === "problems" ? undefined : "problems" }) },
  { keys: "Escape", title: "Select nothing; up one group", run: escape },
  { keys: "?", title: "This list", run: () => ui().show({ dialog: { kind: "shortcuts" } }) },
];

/** At the selected component or connection, else in the middle of the canvas. */
function openMenu(): void {
  const { nodes, edges, show } = ui();
  const [node] = nodes;
  const [edge] = edges;
  const id = node ?? edge ?? "";
  const found = id && document.querySelector(node ? `.react-flow__node[data-id="${CSS.escape(id)}"]` : `[data-testid="queue-${CSS.escape(id)}"]`);
  const box = (found || document.querySelector(".react-flow"))?.getBoundingClientRect();
  if (!box) return;
  const [x, y] = found ? [box.left + 24, box.bottom - 12] : [box.left + box.width / 2, box.top + box.height / 2];
  show({ menu: { x, y, id, kind: node ? "node" : edge ? "edge" : "canvas", at: [0, 0] } });
}

/** Of the one processor that is selected, else of all. */
function provenanceOfSelected(): void {
  const { document } = useDocument.getState();
  const [id] = ui().nodes;
  openProvenance(id && ui().nodes.size === 1 && document && kindOf(document, id) === "processors" ? { processor: id } : {});
}

function escape(): void {
  const { armed, lineage, nodes, edges, group, show, select, enter } = ui();
  if (armed || lineage) show({ armed: undefined, lineage: undefined });
  else if (nodes.size + edges.size) select([]);
  else if (group) enter(group.split("/").slice(0, -1).join("/"));
}

function named(event: KeyboardEvent): string {
  const held = (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (event.shiftKey && event.key !== "?" ? "Shift+" : "");
  return held + (event.key.length === 1 ? event.key.toUpperCase() : event.key);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function onKey(event: KeyboardEvent): void {
  if (event.altKey || isTyping(event.target) || document.querySelector("dialog[open]") || ui().menu) return;
  const name = named(event);
  const found = SHORTCUTS.find((one) => one.keys === name && one.run);
  const onControl = event.target instanceof HTMLElement && event.target.closest("button, a");
  if (!found || (name === "Enter" && onControl) || (name === "Ctrl+C" && String(getSelection()))) return;
  event.preventDefault();
  found.run?.();
}
