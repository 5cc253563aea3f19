import { expect, test } from "vitest";
import { addComponent, connect, moveAll, removeAll, splice } from "./edits";
import { apply } from "./ops";
import { sample } from "./sample";

test("a new component gets a readable id that nobody has", () => {
  const { id, operation } = addComponent(sample(), "", "processors", "ReadDataLake", { type: "ReadDataLake" }, [13, 27]);
  expect(id).toBe("read-data-lake");
  const { document } = apply(sample(), [operation]);
  expect(document.layout?.[id]).toEqual([20, 20]);
  expect(addComponent(document, "", "processors", "ReadDataLake", {}, [0, 0]).id).toBe("read-data-lake-2");
});

test("connecting the same two again adds the relationships to their connection", () => {
  const { document } = apply(sample(), connect(sample(), "", "read", "throttle", ["failure"]));
  expect(document.connections?.[0]?.relationships).toEqual(["success", "failure"]);
  expect(document.connections).toHaveLength(3);
});

test("a relationship that is connected ends at its processor no more", () => {
  const { document } = apply(sample(), connect(sample(), "", "throttle", "publish", ["failure"]));
  expect(document.processors?.["throttle"]).not.toHaveProperty("auto_terminate");
});

test("a component dropped on a connection stands in its middle", () => {
  const added = apply(sample(), [{ op: "add", kind: "processors", id: "log", value: { type: "LogAttribute" } }]).document;
  const { document } = apply(added, splice(added, "read-throttle", "log", ["success"]));
  expect(document.connections?.map((one) => `${one.from}-${one.to}`)).toEqual(["throttle-inner/in", "inner/out-publish", "read-log", "log-throttle"]);
});

test("deleting several components is one list of operations", () => {
  const operations = removeAll(sample(), ["read", "throttle"], ["inner/out-publish"]);
  const { document, inverses } = apply(sample(), operations);
  expect(document.connections).toBeUndefined();
  expect(apply(document, inverses).document.connections).toEqual(sample().connections);
});

test("moving nothing is no operation", () => {
  expect(moveAll(sample(), { read: [0.2, -0.1] })).toBeUndefined();
});
