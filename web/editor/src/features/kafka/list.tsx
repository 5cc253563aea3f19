import type { KeyboardEvent, ReactNode } from "react";
import { followLink, hrefOf } from "../../ui/router";

/** Links in a column; the arrow keys go through them. */
export function LinkList({ label, children }: { label: string; children: ReactNode }) {
  return <ul className="kafka-list" aria-label={label} onKeyDown={onArrow}>{children}</ul>;
}

function onArrow(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const links = [...event.currentTarget.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  if (at < 0) return;
  event.preventDefault();
  links[Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
}

export function LinkRow({ to, chosen, children }: { to: string; chosen: boolean; children: ReactNode }) {
  return (
    <li>
      <a className="kafka-row" href={hrefOf(to)} aria-current={chosen || undefined} onClick={(event) => followLink(event, to)}>{children}</a>
    </li>
  );
}
