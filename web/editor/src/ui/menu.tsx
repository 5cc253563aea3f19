import type { LucideIcon } from "lucide-react";
import { useEffect, useLayoutEffect, useRef } from "react";

export interface MenuItem {
  title: string;
  icon?: LucideIcon;
  keys?: string;
  run: () => void;
  /** Why it cannot be done now. */
  unable?: string | undefined;
  danger?: boolean;
}

/** `null` is a line between items. */
export type MenuEntry = MenuItem | null;

interface Props {
  label: string;
  x: number;
  y: number;
  entries: MenuEntry[];
  onClose: () => void;
}

const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };

/** A menu at a place of the window; what cannot be done says why. */
export function Menu({ label, x, y, entries, onClose }: Props) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const menu = ref.current;
    if (!menu) return;
    menu.style.left = `${Math.max(4, Math.min(x, innerWidth - menu.offsetWidth - 8))}px`;
    menu.style.top = `${Math.max(4, Math.min(y, innerHeight - menu.offsetHeight - 8))}px`;
  }, [x, y, entries]);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    ref.current?.querySelector<HTMLElement>("button")?.focus();
    const outside = (event: Event) => event.target instanceof Node && !ref.current?.contains(event.target) && onClose();
    window.addEventListener("pointerdown", outside, true);
    window.addEventListener("wheel", outside, true);
    return () => {
      window.removeEventListener("pointerdown", outside, true);
      window.removeEventListener("wheel", outside, true);
      if (document.activeElement === document.body) before?.focus();
    };
  }, [onClose]);
  const onKeyDown = (event: React.KeyboardEvent) => {
    event.stopPropagation();
    const buttons = [...(ref.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const step = STEPS[event.key];
    if (step) buttons[(at + step + buttons.length) % buttons.length]?.focus();
    else if (event.key === "Home") buttons[0]?.focus();
    else if (event.key === "End") buttons.at(-1)?.focus();
    else if (event.key === "Escape" || event.key === "Tab") onClose();
    else if (event.key.length === 1) buttons.find((one, index) => index > at && one.textContent?.toLowerCase().startsWith(event.key))?.focus();
    else return;
    event.preventDefault();
  };
  return (
    <div ref={ref} role="menu" aria-label={label} className="menu" onKeyDown={onKeyDown} onContextMenu={(event) => event.preventDefault()}>
      {entries.map((entry, index) => (entry ? <Item key={entry.title} item={entry} onClose={onClose} /> : <hr key={index} />))}
    </div>
  );
}

function Item({ item, onClose }: { item: MenuItem; onClose: () => void }) {
  const { title, icon: Icon, keys, run, unable, danger } = item;
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      className={danger ? "bad" : ""}
      aria-disabled={!!unable || undefined}
      title={unable}
      onClick={() => {
        if (unable) return;
        onClose();
        run();
      }}
    >
      {Icon ? <Icon size={15} aria-hidden /> : <span />}
      <span>{title}</span>
      {unable ? <small>{unable}</small> : keys && <kbd>{keys}</kbd>}
    </button>
  );
}
