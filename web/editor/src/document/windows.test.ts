import { expect, test } from "vitest";
import { heldText, summary, timelineOf } from "./windows";
import type { WindowStatus } from "./windows";

const SECOND = 1_000_000;
const status = (part: Partial<WindowStatus>): WindowStatus => ({ time: "event", ...part });
const open = (...pairs: [number, number][]) => pairs.map(([start, end]) => ({ start: start * SECOND, end: end * SECOND, records: 2 }));

test("windows that follow one another share a lane, those that overlap do not", () => {
  const found = timelineOf(status({ open: open([0, 60], [60, 120]), watermark: 30 * SECOND }));
  expect(found?.lanes).toBe(1);
  expect(found?.bars.map((one) => one.reached)).toEqual([true, false]);
  expect(timelineOf(status({ open: open([0, 60], [30, 90], [60, 120]) }))?.lanes).toBe(2);
});

test("everything stands between 0 and 1, the watermark too where it is near", () => {
  const found = timelineOf(status({ open: open([0, 60], [60, 120]), watermark: -30 * SECOND }));
  for (const { left, width } of found?.bars ?? []) {
    expect(left).toBeGreaterThan(0);
    expect(left + width).toBeLessThan(1);
  }
  expect(found?.watermark).toBeGreaterThan(0);
  expect(timelineOf(status({ open: open([0, 60]), watermark: -9000 * SECOND }))?.watermark).toBeUndefined();
});

test("no open window is no picture", () => {
  expect(timelineOf(status({ open: [] }))).toBeUndefined();
});

test("the text says what holds the watermark back", () => {
  expect(heldText({ kind: "source", id: "consume", partition: 3 })).toBe("held back by source consume, partition 3");
  expect(heldText({ kind: "source", id: "consume", partition: "a-1", idle: 12 * SECOND })).toContain("silent for 12 s");
  expect(heldText({ kind: "queue", id: "a-b" })).toBe("held back by FlowFiles in the queue a-b");
  const text = summary(status({ open_count: 3, watermark: 5 * SECOND, late: 2, bytes: 2048 }), 9 * SECOND);
  expect(text).toContain("3 open windows by event time");
  expect(text).toContain("4.0 s behind the clock");
  expect(text).toContain("2 late");
});
