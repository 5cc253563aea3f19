import { expect, test } from "vitest";
import { refusal, relationshipsOf, unhandled } from "./rules";
import type { Facts } from "./rules";
import { sample } from "./sample";
import { apply } from "./ops";

const facts: Facts = (type) => ({ input: type === "ReadDataLake" ? "forbidden" : "required", relationships: [{ name: "success" }, { name: "failure", failure: true }] });

test("a source takes no input", () => {
  expect(refusal(sample(), facts, "throttle", "read")).toBe("'read' (ReadDataLake) is a source: it takes no input");
});

test("a connection does not lead back to its source", () => {
  expect(refusal(sample(), facts, "read", "read")).toBe("must not lead back to its source; use retry of the processor");
});

test("a cycle is named", () => {
  const { document } = apply(sample(), [{ op: "add", kind: "connections", id: "throttle-publish", value: { from: "throttle", to: "publish" } }]);
  expect(refusal(document, facts, "publish", "throttle")).toBe("must not close a cycle: throttle → publish → throttle");
});

test("a group without ports cannot be connected", () => {
  const { document } = apply(sample(), [{ op: "add", kind: "groups", id: "empty", value: {} }]);
  expect(refusal(document, facts, "read", "empty")).toBe("group 'empty' has no input port");
  expect(refusal(document, facts, "empty", "publish")).toBe("group 'empty' has no output port");
});

test("ports inside a group lead one way", () => {
  expect(refusal(sample(), facts, "inner/log", "inner/in")).toBe("an input port is fed from outside the group");
  expect(refusal(sample(), facts, "inner/out", "inner/log")).toBe("an output port leads out of the group: connect it from outside");
});

test("what the engine accepts is accepted", () => {
  expect(refusal(sample(), facts, "read", "publish")).toBe("");
});

test("routes are relationships of their own", () => {
  const processor = { type: "RouteOnAttribute", properties: { routes: { adults: "age > 17" } } };
  const known = ["matched", "unmatched", "failure"].map((name) => ({ name }));
  const names = relationshipsOf(processor, { input: "required", relationships: known }).map((one) => one.name);
  expect(names).toEqual(["adults", "unmatched", "failure"]);
});

test("a relationship is handled by a connection, an end, or a retry for ever", () => {
  const names = ["success", "failure", "other"];
  expect(unhandled(sample(), "throttle", names)).toEqual(["other"]);
  const { document } = apply(sample(), [{ op: "set", kind: "processors", id: "throttle", path: ["retry"], value: { other: {} }, before: null }]);
  expect(unhandled(document, "throttle", names)).toEqual([]);
});
