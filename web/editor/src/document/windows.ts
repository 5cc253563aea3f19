/** Open windows as a picture: a line of time with the windows on it, and the watermark. */

import { bytes, clock, count, moment, span } from "./format";

/** What a window processor tells. Times in µs. */
export interface WindowStatus {
  time: string;
  watermark?: number | null;
  lag?: number | null;
  held_by?: HeldBy | null;
  open?: OpenWindow[];
  open_count?: number;
  bytes?: number;
  late?: number;
  invalid?: number;
}

export interface HeldBy {
  kind: string;
  id: string;
  partition?: number | string | null;
  /** µs since the source last moved time on. */
  idle?: number | null;
  /** Of a source that does not run. */
  state?: string;
}

export interface OpenWindow {
  start: number;
  end: number;
  key_count?: number;
  records?: number;
}

export interface Bar {
  start: number;
  end: number;
  left: number;
  width: number;
  lane: number;
  /** The watermark has reached into it. */
  reached: boolean;
  title: string;
}

export interface Timeline {
  from: number;
  to: number;
  lanes: number;
  bars: Bar[];
  /** Between 0 and 1; undefined where there is no watermark yet, or it is far from all windows. */
  watermark: number | undefined;
}

export const LANES = 3;

/** Windows in at most `LANES` rows, from the first start to the last end, with room at both ends. */
export function timelineOf(windows: WindowStatus, most = 40): Timeline | undefined {
  const open = [...(windows.open ?? [])].sort((a, b) => a.start - b.start || a.end - b.end).slice(0, most);
  const first = open[0];
  if (!first) return undefined;
  const low = first.start;
  const high = Math.max(...open.map((one) => one.end));
  const width = Math.max(high - low, 1);
  const mark = windows.watermark ?? undefined;
  const near = mark !== undefined && mark > low - width && mark < high + width;
  const from = Math.min(low, near ? mark : low) - width * 0.04;
  const to = Math.max(high, near ? mark : high) + width * 0.04;
  const ends: number[] = [];
  const bars = open.map((one): Bar => {
    const free = ends.findIndex((end) => end <= one.start);
    const lane = free >= 0 ? free : ends.length < LANES ? ends.length : ends.indexOf(Math.min(...ends));
    ends[lane] = one.end;
    const left = (one.start - from) / (to - from);
    return { start: one.start, end: one.end, lane, left, width: (one.end - one.start) / (to - from), reached: mark !== undefined && mark >= one.start, title: windowText(one) };
  });
  return { from, to, lanes: ends.length, bars, watermark: near ? (mark - from) / (to - from) : undefined };
}

export function windowText(one: OpenWindow): string {
  const parts = [one.key_count && `${count(one.key_count)} keys`, one.records && `${count(one.records)} records`].filter(Boolean);
  return `${clock(one.start)} – ${clock(one.end)}${parts.length ? `: ${parts.join(", ")}` : ""}`;
}

/** Why no further window has closed, as far as the engine says so. */
export function heldText(held: HeldBy | null | undefined): string {
  if (!held) return "";
  const part = held.partition === undefined || held.partition === null ? "" : `, partition ${held.partition}`;
  const why = held.state ? `, which is ${held.state}` : held.idle ? `, silent for ${span(held.idle)}` : "";
  const nouns: Record<string, string> = { source: "source", queue: "FlowFiles in the queue", state: "what is kept by" };
  return `held back by ${nouns[held.kind] ?? held.kind} ${held.id}${part}${why}`;
}

export function watermarkText(windows: WindowStatus, now: number): string {
  const mark = windows.watermark;
  if (mark === undefined || mark === null) return "no watermark yet";
  const day = Math.abs(now - mark) > 43_200_000_000;
  const behind = now - mark;
  return `watermark ${day ? moment(mark) : clock(mark)}${behind > 0 ? `, ${span(behind)} behind the clock` : ""}`;
}

/** One sentence for a screen reader and the tooltip. */
export function summary(windows: WindowStatus, now: number): string {
  const open = windows.open_count ?? windows.open?.length ?? 0;
  const parts = [
    `${count(open)} open windows by ${windows.time} time`,
    watermarkText(windows, now),
    heldText(windows.held_by),
    windows.bytes ? `${bytes(windows.bytes)} kept` : "",
    windows.late ? `${count(windows.late)} late` : "",
    windows.invalid ? `${count(windows.invalid)} invalid` : "",
  ];
  return parts.filter(Boolean).join("; ");
}
