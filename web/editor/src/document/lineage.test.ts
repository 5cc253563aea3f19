import { expect, test } from "vitest";
import { afterwards, attributeRows, pathOf } from "./lineage";
import type { Happened } from "./lineage";
import type { FlowDocument } from "./types";

const log = { type: "LogAttribute" };
const document: FlowDocument = {
  format: 1,
  name: "f",
  groups: {
    shared: {
      outputs: { out: {} },
      processors: { first: log, second: log },
      connections: [{ from: "first", to: "out" }, { from: "second", to: "out" }],
    },
  },
  funnels: { both: {} },
  processors: { put: log },
  connections: [{ from: "shared/out", to: "both" }, { from: "both", to: "put" }],
};
const event = (id: number, processor: string, more: Partial<Happened> = {}): Happened => ({ id, type: "ROUTE", processor, flowfile: "a", ...more });

test("processors and the groups around them have the numbers of their events", () => {
  const path = pathOf(document, [event(7, "shared/first"), event(9, "put", { connection: "both-put" })]);
  expect([path.get("shared/first"), path.get("shared"), path.get("put")]).toEqual([[1], [1], [2]]);
});

test("the way leads through ports and funnels, but only where the FlowFile was", () => {
  const path = pathOf(document, [event(7, "shared/first"), event(9, "put", { connection: "both-put" })]);
  const through = ["shared/first-out", "shared/out", "shared/out-both", "both", "both-put"];
  expect(through.filter((id) => path.has(id))).toEqual(through);
  expect(path.has("shared/second-out")).toBe(false);
});

test("a connection that is no more is left out", () => {
  expect([...pathOf(document, [event(1, "put", { connection: "old-put" })]).keys()]).toEqual(["put"]);
});

test("a group that is another file is on the path as a whole", () => {
  const outer: FlowDocument = { format: 1, name: "f", groups: { lake: { flow: "lake.json" } }, processors: { put: log }, connections: [{ from: "lake/out", to: "put" }] };
  const path = pathOf(outer, [event(1, "lake/read"), event(2, "put", { connection: "lake/out-put" })]);
  expect(path.get("lake")).toEqual([1]);
  expect(path.has("lake/out-put")).toBe(true);
});

test("what an event changed is seen at the next one of the same FlowFile", () => {
  const events = [event(1, "put", { attributes: { a: "1", b: "2" } }), event(2, "put", { flowfile: "other", attributes: {} }), event(3, "put", { attributes: { b: "3", c: "4" } })];
  const rows = attributeRows(events[0]?.attributes ?? {}, afterwards(events, events[0] as Happened));
  expect(rows.map((row) => [row.name, row.change])).toEqual([["a", "removed"], ["b", "changed"], ["c", "added"]]);
  expect(afterwards(events, events[2] as Happened)).toBeUndefined();
  expect(attributeRows({ a: "1" }, undefined)[0]?.change).toBe("");
});
