/** Where a group's offsets go, as a person fills it in. */

import type { Offset, ResetTo } from "../../api/kafka";

export interface Wish {
  to: "earliest" | "latest" | "time" | "offsets";
  /** Local date and time as the browser's input writes it. */
  time: string;
  /** Offset by partition. */
  offsets: Record<number, string>;
}

/** What to ask the server; undefined while it is not complete. */
export function askedFor({ to, time, offsets }: Wish, own: Offset[]): ResetTo | undefined {
  if (to === "earliest" || to === "latest") return to;
  if (to === "time") return Number.isNaN(Date.parse(time)) ? undefined : Date.parse(time) * 1000;
  const given = own.map(({ partition, committed, first }): [number, string] => [partition, offsets[partition] ?? String(committed ?? first ?? 0)]);
  return given.length && given.every(([, value]) => /^\d+$/.test(value)) ? Object.fromEntries(given.map(([partition, value]) => [partition, Number(value)])) : undefined;
}

/** Where a partition will stand; undefined where only the server can tell. */
export function target(asked: ResetTo | undefined, { partition, first, end }: Offset): number | undefined {
  if (asked === "earliest") return first ?? undefined;
  if (asked === "latest") return end ?? undefined;
  return typeof asked === "object" ? asked[partition] : undefined;
}
