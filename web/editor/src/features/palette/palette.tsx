import { useReactFlow } from "@xyflow/react";
import { Boxes, Combine, LogIn, LogOut, PanelLeftClose, Search, StickyNote } from "lucide-react";
import type { LucideIcon } from "lucide-react";
import { useMemo, useState } from "react";
import { mayEdit } from "../../api/client";
import type { TypeDescription } from "../../api/flows";
import { useCatalogue } from "../../state/catalogue-store";
import { useUi } from "../../state/ui-store";
import { IconButton } from "../../ui/button";
import { freePlace, insert, insertOf } from "../canvas/commands";
import type { Insert } from "../canvas/commands";

export const PARTS: { title: string; icon: LucideIcon; insert: Insert; inGroup?: boolean }[] = [
  { title: "Group", icon: Boxes, insert: { kind: "groups", wanted: "group", value: {} } },
  { title: "Funnel", icon: Combine, insert: { kind: "funnels", wanted: "funnel", value: {} } },
  { title: "Input port", icon: LogIn, insert: { kind: "inputs", wanted: "in", value: {} } },
  { title: "Output port", icon: LogOut, insert: { kind: "outputs", wanted: "out", value: {} } },
  { title: "Label", icon: StickyNote, insert: { kind: "labels", wanted: "label", value: { text: "Label" } } },
];

/** Types whose name, tags or description hold every word; those named so come first. */
export function matching(types: TypeDescription[], text: string): TypeDescription[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const score = (type: TypeDescription) => {
    const name = type.type.toLowerCase();
    const all = [name, ...type.tags, type.description.toLowerCase()].join(" ");
    if (!words.every((word) => all.includes(word))) return -1;
    return words.reduce((sum, word) => sum + (name.includes(word) ? 2 : type.tags.some((tag) => tag.includes(word)) ? 1 : 0), 0);
  };
  return types
    .map((type) => ({ type, score: score(type) }))
    .filter((one) => one.score >= 0)
    .sort((a, b) => b.score - a.score || a.type.type.localeCompare(b.type.type))
    .map((one) => one.type);
}

export function Palette() {
  const [text, setText] = useState("");
  const processors = useCatalogue((state) => state.processors);
  const show = useUi((ui) => ui.show);
  const found = useMemo(() => matching(Object.values(processors), text), [processors, text]);
  const sources = found.filter((type) => type.input === "forbidden");
  const others = found.filter((type) => type.input !== "forbidden");
  const parts = PARTS.filter((part) => part.title.toLowerCase().includes(text.toLowerCase()));
  return (
    <aside className="palette" aria-label="Palette">
      <div className="panel-head">
        <label className="search">
          <Search size={14} aria-hidden />
          <input type="search" placeholder="Search processors" aria-label="Search processors" value={text} onChange={(event) => setText(event.target.value)} />
        </label>
        <IconButton icon={PanelLeftClose} label="Hide palette" onClick={() => show({ palette: false })} />
      </div>
      <div className="palette-list" tabIndex={0} role="group" aria-label="Components">
        <Section title="Sources" types={sources} />
        <Section title="Processors" types={others} />
        {parts.length > 0 && <h3>Parts</h3>}
        <div className="palette-parts">
          {parts.map(({ title, icon: Icon, insert: item }) => (
            <Item key={title} item={item} hint={title}>
              <Icon size={14} aria-hidden /> {title}
            </Item>
          ))}
        </div>
        {!found.length && !parts.length && <p className="muted">Nothing is called “{text}”.</p>}
      </div>
    </aside>
  );
}

function Section({ title, types }: { title: string; types: TypeDescription[] }) {
  if (!types.length) return null;
  return (
    <>
      <h3>{title}</h3>
      {types.map((type) => (
        <Item key={type.type} item={insertOf(type.type)} hint={`${type.description}\n\n${type.tags.join(", ")}`}>
          <b>{type.type}</b>
          <small>{type.description.replaceAll("`", "")}</small>
        </Item>
      ))}
    </>
  );
}

/** Drag it to the canvas, or click it (Enter) to put it in the middle. */
function Item({ item, hint, children }: { item: Insert; hint: string; children: React.ReactNode }) {
  const { screenToFlowPosition } = useReactFlow();
  const add = () => {
    const box = document.querySelector(".react-flow")?.getBoundingClientRect();
    const { x, y } = screenToFlowPosition({ x: (box?.left ?? 0) + (box?.width ?? 0) / 2, y: (box?.top ?? 0) + (box?.height ?? 0) / 2 });
    insert(item, freePlace([x, y]));
  };
  return (
    <button
      type="button"
      className="palette-item"
      draggable={mayEdit}
      disabled={!mayEdit}
      title={hint}
      data-testid={`palette-${item.wanted}`}
      onClick={add}
      onDragStart={(event) => {
        event.dataTransfer.setData("application/x-flowengine", JSON.stringify(item));
        event.dataTransfer.effectAllowed = "copy";
      }}
    >
      {children}
    </button>
  );
}
