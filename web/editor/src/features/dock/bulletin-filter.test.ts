import { expect, test } from "vitest";
import type { Bulletin } from "../../api/runner";
import { EVERYTHING, fits, merged } from "./bulletin-filter";

const bulletin = (id: number, more: Partial<Bulletin> = {}): Bulletin => ({ id, time: id, component: "put", level: "warning", message: "Disk is full", count: 1, ...more });

test("the later word on a bulletin counts, and the newest comes first", () => {
  const found = merged([bulletin(1), bulletin(2)], [bulletin(1, { count: 4 }), bulletin(3)]);
  expect(found.map((one) => [one.id, one.count])).toEqual([[3, 1], [2, 1], [1, 4]]);
});

test("filters go together", () => {
  expect(fits(bulletin(1), EVERYTHING)).toBe(true);
  expect(fits(bulletin(1), { ...EVERYTHING, level: "error" })).toBe(false);
  expect(fits(bulletin(1, { level: "error" }), { level: "warning", component: "put", text: " disk " })).toBe(true);
  expect(fits(bulletin(1), { ...EVERYTHING, component: "get" })).toBe(false);
  expect(fits(bulletin(1), { ...EVERYTHING, text: "network" })).toBe(false);
});
