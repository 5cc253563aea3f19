/** Operations that the server has not confirmed, kept over a reload or a crash. */

import type { Operation } from "../document/types";

const name = (flow: string) => `flowengine:unsent:${document.baseURI}:${flow}`;

export function keepUnsent(flow: string, operations: Operation[]): void {
  if (operations.length) localStorage.setItem(name(flow), JSON.stringify(operations));
  else forgetUnsent(flow);
}

export function forgetUnsent(flow: string): void {
  localStorage.removeItem(name(flow));
}

export function unsentOf(flow: string): Operation[] {
  try {
    return JSON.parse(localStorage.getItem(name(flow)) ?? "[]") as Operation[];
  } catch {
    return [];
  }
}
