import { expect, test } from "vitest";
import { group, ungroup } from "./grouping";
import { apply } from "./ops";
import { sample } from "./sample";

test("grouping makes a port for each connection that crosses, and ungrouping takes it back", () => {
  const grouped = group(sample(), ["read", "throttle"]);
  const there = apply(sample(), grouped.operations).document;
  expect(there.groups?.["group"]?.outputs).toEqual({ out: {} });
  expect(there.groups?.["group"]?.connections).toEqual([
    { from: "read", relationships: ["success"], to: "throttle" },
    { from: "throttle", relationships: ["success"], to: "out" },
  ]);
  expect(there.connections).toContainEqual({ from: "group/out", to: "inner/in" });
  const back = apply(there, ungroup(there, grouped.id).operations).document;
  expect(back.processors).toEqual(sample().processors);
  expect(new Set(back.connections?.map((one) => JSON.stringify(one, Object.keys(one).sort())))).toEqual(
    new Set(sample().connections?.map((one) => JSON.stringify(one, Object.keys(one).sort()))),
  );
});

test("positions inside the group are relative to it", () => {
  const there = apply(sample(), group(sample(), ["throttle"]).operations).document;
  expect(there.layout?.["group"]).toEqual([360, 0]);
  expect(there.layout?.["group/throttle"]).toEqual([0, 0]);
});
