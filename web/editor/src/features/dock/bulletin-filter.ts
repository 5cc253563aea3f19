import type { Bulletin } from "../../api/runner";

export interface BulletinFilter {
  /** The least level that is shown. */
  level: Bulletin["level"];
  component: string;
  text: string;
}

export const EVERYTHING: BulletinFilter = { level: "debug", component: "", text: "" };
const ORDER: Bulletin["level"][] = ["debug", "info", "warning", "error"];

/** One list out of what came before and what came since, newest first; the later word on an id counts. */
export function merged(earlier: Bulletin[], fresh: Bulletin[]): Bulletin[] {
  const known = new Map<number, Bulletin>();
  for (const one of [...earlier, ...fresh]) if (one.count >= (known.get(one.id)?.count ?? 0)) known.set(one.id, one);
  return [...known.values()].sort((a, b) => b.time - a.time || b.id - a.id);
}

export function fits(bulletin: Bulletin, { level, component, text }: BulletinFilter): boolean {
  const loud = ORDER.indexOf(bulletin.level) >= ORDER.indexOf(level);
  const words = `${bulletin.component} ${bulletin.message}`.toLowerCase();
  return loud && (!component || bulletin.component === component) && words.includes(text.trim().toLowerCase());
}
