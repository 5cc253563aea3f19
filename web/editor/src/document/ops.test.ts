import { describe, expect, test } from "vitest";
import { apply, applyLeniently, OperationRefused } from "./ops";
import { sample } from "./sample";
import type { Operation } from "./types";

const steps: Record<string, Operation[]> = {
  "adding a processor": [{ op: "add", kind: "processors", id: "log", value: { type: "LogAttribute" }, position: [0, 200] }],
  "adding into a group": [{ op: "add", kind: "processors", id: "inner/count", value: { type: "UpdateCounter" } }],
  "adding a connection": [{ op: "add", kind: "connections", id: "read-publish", value: { from: "read", to: "publish", relationships: ["failure"] } }],
  "removing a processor with its connections": [{ op: "remove", kind: "processors", id: "throttle" }],
  "removing a group with what is in it": [{ op: "remove", kind: "groups", id: "inner" }],
  "removing a port that the outside uses": [{ op: "remove", kind: "inputs", id: "inner/in" }],
  "removing the first of a section": [{ op: "remove", kind: "processors", id: "read" }],
  "setting a property": [{ op: "set", kind: "processors", id: "publish", path: ["properties", "topic"], value: "people", before: "#{topic}" }],
  "unsetting the only property": [{ op: "set", kind: "processors", id: "throttle", path: ["properties", "maximum_rate"], value: null, before: 1 }],
  "setting what was not there": [{ op: "set", kind: "processors", id: "read", path: ["scheduling", "every"], value: "1 sec", before: null }],
  "giving a connection an id": [{ op: "set", kind: "connections", id: "read-throttle", path: ["id"], value: "first", before: null }],
  "moving": [{ op: "move", positions: { read: [10, 10], publish: null } }],
  "renaming a group": [{ op: "rename", kind: "groups", id: "inner", to: "middle" }],
  "renaming a port": [{ op: "rename", kind: "inputs", id: "inner/in", to: "inner/entry" }],
  "several at once": [
    { op: "remove", kind: "processors", id: "publish" },
    { op: "add", kind: "funnels", id: "publish", value: {} },
    { op: "move", positions: { publish: [5, 5] } },
  ],
};

describe("every operation is taken back by its inverse, in the old order", () => {
  test.each(Object.entries(steps))("%s", (_, operations) => {
    const before = sample();
    const there = apply(before, operations);
    expect(there.document).not.toEqual(before);
    const back = apply(there.document, there.inverses);
    expect(back.document).toEqual(before);
    expect(orders(back.document)).toEqual(orders(before));
    expect(apply(back.document, back.inverses).document).toEqual(there.document);
  });
});

/** The order of entries may mean something, that of sections and positions does not. */
const orders = ({ processors, groups, connections }: ReturnType<typeof sample>) =>
  [processors, groups, groups?.["inner"]?.processors].map((section) => Object.keys(section ?? {})).concat([connections?.map((one) => one.from) ?? []]);

test("a document is never changed in place", () => {
  const before = sample();
  apply(before, steps["removing a group with what is in it"] as Operation[]);
  expect(before).toEqual(sample());
});

test("removing a processor takes its connections and position along", () => {
  const { document } = apply(sample(), [{ op: "remove", kind: "processors", id: "throttle" }]);
  expect(document.connections).toEqual([{ from: "inner/out", to: "publish" }]);
  expect(document.layout).not.toHaveProperty("throttle");
});

test("renaming a group follows in connections and positions", () => {
  const { document } = apply(sample(), [{ op: "rename", kind: "groups", id: "inner", to: "middle" }]);
  expect(document.connections?.[1]?.to).toBe("middle/in");
  expect(document.layout).toHaveProperty("middle/log");
});

test("an id that is used is refused", () => {
  const add: Operation = { op: "add", kind: "funnels", id: "read", value: {} };
  expect(() => apply(sample(), [add])).toThrow(new OperationRefused("funnels 'read' must be a new id; got one that is used"));
});

test("what makes no sense any more is left out when others have removed it", () => {
  const set: Operation = { op: "set", kind: "processors", id: "gone", path: ["name"], value: "x", before: null };
  const move: Operation = { op: "move", positions: { read: [1, 1] } };
  expect(applyLeniently(sample(), [set, move]).layout?.["read"]).toEqual([1, 1]);
});
