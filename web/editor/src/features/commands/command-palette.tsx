import { useReactFlow } from "@xyflow/react";
import { useState } from "react";
import { search } from "../../document/search";
import { useCatalogue } from "../../state/catalogue-store";
import { useDocument } from "../../state/document-store";
import { reveal, useUi } from "../../state/ui-store";
import type { Chooser } from "../../state/ui-store";
import { Dialog } from "../../ui/dialog";
import { freePlace, insert, insertOf } from "../canvas/commands";
import { SHORTCUTS } from "../canvas/keyboard";
import { matching, PARTS } from "../palette/palette";

interface Item {
  id: string;
  title: string;
  hint: string;
  group: string;
  run: () => void;
}

/** Find and do everything by name. With a chooser it offers only what can be inserted there. */
export function CommandPalette({ chooser }: { chooser?: Chooser | undefined }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const show = useUi((ui) => ui.show);
  const items = useItems(text, chooser);
  const close = () => show({ dialog: undefined, chooser: undefined });
  const run = (item: Item | undefined) => {
    if (!item) return;
    close();
    item.run();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, items.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter") run(items[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={chooser ? "Insert" : "Search and commands"} size="top" onClose={close}>
      <input
        className="command-input"
        type="text"
        role="combobox"
        aria-expanded
        aria-controls="command-list"
        aria-activedescendant={items[at] ? `command-${at}` : undefined}
        aria-label={chooser ? "Insert what" : "Search processors, components, commands"}
        placeholder={chooser ? "What comes next?" : "Insert a processor, find a component, run a command"}
        data-focus
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="command-list" className="command-list" role="listbox" aria-label="Results">
        {items.map((item, index) => (
          <li
            key={item.group + item.id}
            id={`command-${index}`}
            role="option"
            aria-selected={index === at}
            ref={index === at ? (row) => row?.scrollIntoView({ block: "nearest" }) : undefined}
            onClick={() => run(item)}
          >
            <span className="tag">{item.group}</span>
            <b>{item.title}</b>
            <small>{item.hint}</small>
          </li>
        ))}
        {!items.length && <li className="muted" role="option" aria-selected={false}>Nothing found.</li>}
      </ul>
    </Dialog>
  );
}

function useItems(text: string, chooser: Chooser | undefined): Item[] {
  const document = useDocument((state) => state.document);
  const processors = useCatalogue((state) => state.processors);
  const { screenToFlowPosition } = useReactFlow();
  const place = () => {
    if (chooser) return chooser.at;
    const box = window.document.querySelector(".react-flow")?.getBoundingClientRect();
    const { x, y } = screenToFlowPosition({ x: (box?.left ?? 0) + (box?.width ?? 0) / 2, y: (box?.top ?? 0) + (box?.height ?? 0) / 2 });
    return freePlace([x, y]);
  };
  const join = { ...(chooser?.from && { from: chooser.from }), ...(chooser?.edge && { edge: chooser.edge }) };
  const types = matching(Object.values(processors), text).filter((type) => !chooser?.from || type.input !== "forbidden");
  const inserts = types.map((type): Item => {
    return { id: type.type, title: type.type, hint: type.description, group: "Insert", run: () => inserted(insert(insertOf(type.type), place(), join)) };
  });
  const parts = PARTS.filter((part) => part.title.toLowerCase().includes(text.toLowerCase())).map((part): Item => {
    return { id: part.title, title: part.title, hint: "", group: "Insert", run: () => inserted(insert(part.insert, place(), join)) };
  });
  if (chooser) return [...inserts, ...parts];
  const hits = text.length > 1 && document ? search(document, text, 12) : [];
  const found = hits.map((hit): Item => ({ id: hit.id, title: hit.title, hint: hit.where, group: "Find", run: () => reveal(hit.id) }));
  const commands = SHORTCUTS.filter((one) => one.run && one.title.toLowerCase().includes(text.toLowerCase()) && !["Backspace", "Escape", "Ctrl+Y", "Ctrl+K"].includes(one.keys));
  const doable = commands.map((one): Item => ({ id: one.keys, title: one.title, hint: one.keys, group: "Do", run: () => one.run?.() }));
  return [...inserts.slice(0, text ? 8 : 50), ...found, ...parts, ...doable];
}

/** A new node takes the focus, so that the keyboard goes on from it. */
function inserted(id: string | undefined): void {
  if (!id) return;
  useUi.getState().show({ centre: undefined });
  setTimeout(() => document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.focus(), 60);
}
