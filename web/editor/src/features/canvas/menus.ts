/** What a menu offers on a component, a connection, several of them, or the empty canvas. */

import {
  AlignHorizontalDistributeCenter, AlignVerticalDistributeCenter, Ban, Boxes, Cable, ClipboardPaste, Copy, CopyPlus, Database, Eraser, FileSearch,
  FolderOpen, LayoutGrid, List, Maximize, OctagonX, Pencil, Play, Plus, Power, Route, Scissors, Square, StepForward, Trash2, Ungroup,
} from "lucide-react";
import { mayEdit, mayOperate } from "../../api/client";
import { runnerApi } from "../../api/runner";
import { neighbours } from "../../document/rules";
import { bodyOf, kindOf } from "../../document/tree";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { openProvenance } from "../../state/provenance-store";
import type { OpenMenu } from "../../state/ui-store";
import type { MenuEntry } from "../../ui/menu";
import { attempt } from "../../ui/report";
import {
  arrange, connectByKey, copySelected, cutSelected, distribute, duplicateSelected, editConnection, groupSelected, pasteInternal, removeSelected, selectAll, ungroupSelected,
} from "./commands";
import { command, confirmCommand, isDisabled, runningIn, setDisabled, unableToRun } from "./running";

const ui = useUi.getState;
const READ_ONLY = mayEdit ? undefined : "your role may look only";

export function entriesOf(menu: OpenMenu): MenuEntry[] {
  if (menu.kind === "canvas") return onCanvas(menu);
  if (menu.kind === "edge") return onEdge(menu);
  const ids = ui().nodes.size > 1 && ui().nodes.has(menu.id) ? [...ui().nodes] : [menu.id];
  return [...runEntries(ids), null, ...lookEntries(ids), ...editEntries(ids)];
}

function runEntries(ids: string[]): MenuEntry[] {
  const { document } = useDocument.getState();
  const live = useLive.getState().processors;
  const targets = runningIn(ids);
  const unable = unableToRun() || (targets.length ? undefined : "nothing of it runs");
  const states = targets.map((id) => live[id]?.state);
  const all = (state: string, text: string) => unable || (states.every((one) => one === state) ? text : undefined);
  const one = ids.length === 1 && targets.length === 1 && targets[0] === ids[0] ? ids[0] : undefined;
  const off = !!document && isDisabled(document, ids);
  const entries: MenuEntry[] = [
    { title: "Start", icon: Play, keys: "S", unable: all("running", "it runs"), run: () => void command("start", ids) },
    { title: "Stop", icon: Square, keys: "Shift+S", unable: all("stopped", "it is stopped"), run: () => void command("stop", ids) },
    { title: "Run once", icon: StepForward, keys: "R", unable: unable || (states.some((state) => state !== "stopped") ? "stop it first" : undefined), run: () => void command("run-once", ids) },
    { title: off ? "Enable" : "Disable", icon: off ? Power : Ban, unable: READ_ONLY, run: () => setDisabled(ids, !off) },
  ];
  if (one && mayOperate)
    entries.push(
      { title: "Terminate …", icon: OctagonX, unable: all("stopped", "it is stopped"), run: () => confirmCommand("terminate", one) },
      { title: "Clear state …", icon: Eraser, unable: unable || (live[one]?.state === "stopped" ? undefined : "stop it first"), run: () => confirmCommand("clear-state", one) },
    );
  return entries;
}

function lookEntries(ids: string[]): MenuEntry[] {
  const { document } = useDocument.getState();
  const [id] = ids;
  if (!document || !id || ids.length > 1) return [];
  const kind = kindOf(document, id);
  const next = (forward: boolean) => () => ui().select(neighbours(document, id, forward));
  const unable = useLive.getState().processors[id] ? undefined : "the flow is not running";
  const own: MenuEntry[] = kind === "processors"
    ? [
        { title: "State", icon: Database, unable, run: () => ui().show({ dialog: { kind: "state", processor: id } }) },
        { title: "Provenance", icon: Route, keys: "E", run: () => openProvenance({ processor: id }) },
        { title: "Help", icon: FileSearch, run: () => { ui().select([id]); ui().show({ inspector: "about" }); } },
      ]
    : bodyOf(document, id) ? [{ title: "Open", icon: FolderOpen, keys: "Enter", run: () => ui().enter(id) }] : [];
  return [
    ...own,
    { title: "Select what comes before", icon: Cable, run: next(false) },
    { title: "Select what comes after", icon: Cable, run: next(true) },
    null,
  ];
}

function editEntries(ids: string[]): MenuEntry[] {
  const { document } = useDocument.getState();
  const several = ids.length > 1;
  const group = !several && !!document && !!bodyOf(document, ids[0] ?? "");
  return [
    ...(several ? [] : [{ title: "Connect from here", icon: Cable, keys: "C", unable: READ_ONLY, run: connectByKey }]),
    { title: "Copy", icon: Copy, keys: "Ctrl+C", run: () => void copySelected() },
    { title: "Cut", icon: Scissors, keys: "Ctrl+X", unable: READ_ONLY, run: () => void cutSelected() },
    { title: "Duplicate", icon: CopyPlus, keys: "Ctrl+D", unable: READ_ONLY, run: duplicateSelected },
    { title: "Group", icon: Boxes, keys: "Ctrl+G", unable: READ_ONLY, run: groupSelected },
    ...(group ? [{ title: "Ungroup", icon: Ungroup, keys: "Ctrl+Shift+G", unable: READ_ONLY, run: ungroupSelected }] : []),
    ...(ids.length > 2
      ? [
          { title: "Distribute from left to right", icon: AlignHorizontalDistributeCenter, unable: READ_ONLY, run: () => distribute(0) },
          { title: "Distribute from top to bottom", icon: AlignVerticalDistributeCenter, unable: READ_ONLY, run: () => distribute(1) },
        ]
      : []),
    { title: "Delete", icon: Trash2, keys: "Delete", danger: true, unable: READ_ONLY, run: removeSelected },
  ];
}

function onEdge({ id, at }: OpenMenu): MenuEntry[] {
  const live = useLive.getState().connections[id];
  const unable = live ? undefined : "the flow is not running";
  return [
    { title: "List queue", icon: List, keys: "Enter", unable, run: () => ui().show({ dialog: { kind: "queue", connection: id } }) },
    { title: "Empty queue …", icon: Eraser, unable: unableToRun() || (live?.queued ? undefined : "nothing waits"), run: () => confirmEmpty(id) },
    null,
    { title: "Relationships", icon: Pencil, unable: READ_ONLY, run: () => editConnection(id) },
    { title: "Insert a component here", icon: Plus, unable: READ_ONLY, run: () => ui().show({ chooser: { at: [at[0] - 120, at[1] - 52], edge: id } }) },
    { title: "Delete", icon: Trash2, keys: "Delete", danger: true, unable: READ_ONLY, run: removeSelected },
  ];
}

function confirmEmpty(id: string): void {
  const { flow } = useDocument.getState();
  const empty = () => void attempt(runnerApi.empty(flow, id)).then((done) => done && ui().toast(`Dropped ${done.dropped} FlowFiles`, "good"));
  ui().show({ dialog: { kind: "confirm", title: `Empty ${id}?`, text: "What waits there is thrown away. It cannot be brought back.", verb: "Throw away", run: empty } });
}

function onCanvas({ at }: OpenMenu): MenuEntry[] {
  const { group } = ui();
  return [
    { title: "Insert …", icon: Plus, keys: "Ctrl+K", unable: READ_ONLY, run: () => ui().show({ chooser: { at } }) },
    { title: "Paste", icon: ClipboardPaste, keys: "Ctrl+V", unable: READ_ONLY, run: () => void pasteInternal(at) },
    null,
    { title: "Select everything", icon: Maximize, keys: "Ctrl+A", run: selectAll },
    { title: "Show everything", icon: Maximize, keys: "F", run: () => ui().show({ centre: "*" }) },
    { title: "Lay out anew", icon: LayoutGrid, keys: "L", unable: READ_ONLY, run: () => void arrange() },
    ...(group ? [{ title: "Up one group", icon: FolderOpen, keys: "Escape", run: () => ui().enter(group.split("/").slice(0, -1).join("/")) }] : []),
  ];
}
