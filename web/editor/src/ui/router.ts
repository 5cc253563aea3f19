/** Pages by address: below the page's base, so that --root-path needs nothing more. */

import { useSyncExternalStore } from "react";

const base = new URL(".", document.baseURI).pathname;
const listeners = new Set<() => void>();

function path(): string {
  const here = location.pathname;
  return (here.startsWith(base) ? here.slice(base.length) : here.slice(1)) + location.search;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, path);
}

export const hrefOf = (to: string) => base + to;

export function go(to: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", base + to);
  for (const listener of listeners) listener();
}

/** For links: let the browser open a new tab where that is meant. */
export function followLink(event: React.MouseEvent<HTMLAnchorElement>, to: string): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(to);
}
