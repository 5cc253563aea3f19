/** What a person looks at: never part of the document, never undone. */

import { create } from "zustand";
import type { Position } from "../document/types";

export type DockTab = "problems" | "bulletins" | "log" | "versions" | "history" | "provenance";
export type InspectorTab = "properties" | "settings" | "scheduling" | "relationships" | "json" | "about";
export type Theme = "system" | "light" | "dark";

export interface Toast {
  id: number;
  text: string;
  tone: "info" | "good" | "bad";
  undo?: boolean;
}

/** Ends are slugs of the shown group. */
export interface PendingConnection {
  source: string;
  target: string;
  edit?: string;
}

export interface Chooser {
  at: Position;
  from?: string;
  edge?: string;
}

export type Dialog =
  | { kind: "deploy" } | { kind: "commands" } | { kind: "shortcuts" } | { kind: "services" }
  | { kind: "parameters" } | { kind: "queue"; connection: string } | { kind: "state"; processor: string } | Confirmation;

/** A question before something that cannot be undone. */
export interface Confirmation {
  kind: "confirm";
  title: string;
  text: string;
  verb: string;
  run: () => void;
}

/** What a menu was opened on. A component or connection by its id; "" is the empty canvas. */
export interface OpenMenu {
  x: number;
  y: number;
  id: string;
  kind: "node" | "edge" | "canvas";
  at: Position;
}

interface Ui {
  group: string;
  nodes: ReadonlySet<string>;
  edges: ReadonlySet<string>;
  connection: PendingConnection | undefined;
  chooser: Chooser | undefined;
  dialog: Dialog | undefined;
  dock: DockTab | undefined;
  inspector: InspectorTab;
  palette: boolean;
  focusField: string;
  refusal: string;
  armed: string | undefined;
  /** Zoomed out so far that names and colours are all one can see. */
  far: boolean;
  centre: string | undefined;
  /** Components on the path of one FlowFile, each with the numbers of its events there. */
  lineage: ReadonlyMap<string, readonly number[]> | undefined;
  /** What somebody else has just changed. */
  touched: ReadonlySet<string>;
  menu: OpenMenu | undefined;
  /** The session has ended: who asks must log in again. */
  loggedOut: boolean;
  toasts: Toast[];
  theme: Theme;
  enter: (group: string) => void;
  select: (nodes: Iterable<string>, edges?: Iterable<string>) => void;
  show: (part: Partial<Ui>) => void;
  toast: (text: string, tone?: Toast["tone"], undo?: boolean) => void;
  dismiss: (id: number) => void;
  touch: (ids: string[]) => void;
  setTheme: (theme: Theme) => void;
}

let toasts = 0;

function storedTheme(): Theme {
  const found = localStorage.getItem("flowengine:theme");
  return found === "light" || found === "dark" ? found : "system";
}

export const useUi = create<Ui>()((set, get) => ({
  group: "",
  nodes: new Set(),
  edges: new Set(),
  connection: undefined,
  chooser: undefined,
  dialog: undefined,
  dock: undefined,
  inspector: "properties",
  palette: true,
  focusField: "",
  refusal: "",
  armed: undefined,
  far: false,
  centre: undefined,
  lineage: undefined,
  touched: new Set(),
  menu: undefined,
  loggedOut: false,
  toasts: [],
  theme: storedTheme(),
  enter: (group) => set({ group, nodes: new Set(), edges: new Set(), armed: undefined, connection: undefined, chooser: undefined }),
  select: (nodes, edges = []) => set({ nodes: new Set(nodes), edges: new Set(edges) }),
  show: (part) => set(part),
  toast: (text, tone = "info", undo = false) => {
    const id = ++toasts;
    set({ toasts: [...get().toasts.filter((one) => one.text !== text), { id, text, tone, undo }].slice(-4) });
    if (tone !== "bad") setTimeout(() => get().dismiss(id), 5000);
  },
  dismiss: (id) => set({ toasts: get().toasts.filter((one) => one.id !== id) }),
  touch: (ids) => {
    const shown = ids.slice(0, 3).join(", ");
    get().toast(`Somebody else changed ${shown}${ids.length > 3 ? ` and ${ids.length - 3} more` : ""}`);
    const touched = new Set(ids);
    set({ touched });
    setTimeout(() => get().touched === touched && set({ touched: new Set() }), 4000);
  },
  setTheme: (theme) => {
    localStorage.setItem("flowengine:theme", theme);
    set({ theme });
    applyTheme(theme);
  },
}));

export function isDark(theme: Theme): boolean {
  return theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = isDark(theme) ? "dark" : "light";
}

/** Show a component wherever it is: its group, selected, in the middle. */
export function reveal(id: string, field = ""): void {
  const at = id.lastIndexOf("/");
  const ui = useUi.getState();
  const group = at < 0 ? "" : id.slice(0, at);
  if (group !== ui.group) ui.enter(group);
  ui.select([id]);
  ui.show({ centre: id, focusField: field, dialog: undefined });
}
