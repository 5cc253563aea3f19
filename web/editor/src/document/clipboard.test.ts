import { expect, test } from "vitest";
import { copy, parseClipping, paste } from "./clipboard";
import { apply } from "./ops";
import { sample } from "./sample";

const none = () => [];

test("pasted components get new ids; inner connections stay, outer ones go", () => {
  const clipping = copy(sample(), ["read", "throttle"], none);
  const { ids, operations } = paste(sample(), "", clipping);
  const { document } = apply(sample(), operations);
  expect(ids).toEqual(["read-2", "throttle-2"]);
  expect(document.connections?.slice(3)).toEqual([{ from: "read-2", relationships: ["success"], to: "throttle-2" }]);
  expect(document.layout?.["read-2"]).toEqual([40, 40]);
});

test("a group is pasted with what is in it and where", () => {
  const { document } = apply(sample(), paste(sample(), "", copy(sample(), ["inner"], none)).operations);
  expect(document.groups?.["inner-2"]).toEqual(sample().groups?.["inner"]);
  expect(document.layout?.["inner-2/log"]).toEqual([300, 0]);
});

test("paste goes into another group and another flow", () => {
  const text = JSON.stringify(copy(sample(), ["read", "throttle"], none));
  const clipping = parseClipping(text);
  const { document } = apply(sample(), paste(sample(), "inner", clipping!).operations);
  expect(Object.keys(document.groups?.["inner"]?.processors ?? {})).toEqual(["log", "read", "throttle"]);
});

test("secrets do not travel, references to parameters do", () => {
  const flow = sample();
  flow.processors!["publish"]!.properties = { password: "hunter2", other: "#{secret}" };
  const text = JSON.stringify(copy(flow, ["publish"], () => ["password", "other"]));
  expect(text).not.toContain("hunter2");
  expect(text).toContain("#{secret}");
});

test("other text is no clipping", () => {
  expect(parseClipping("hello")).toBeUndefined();
  expect(parseClipping("null")).toBeUndefined();
});

test("a whole flow can be pasted into another one", () => {
  const found = parseClipping(JSON.stringify(sample()));
  expect(found?.components.map((one) => one.slug)).toContain("publish");
  expect(found?.connections).toHaveLength(3);
  expect(parseClipping("[1, 2]")).toBeUndefined();
});
