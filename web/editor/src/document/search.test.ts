import { expect, test } from "vitest";
import { sample } from "./sample";
import { search } from "./search";

test("nested components are found by name and type", () => {
  expect(search(sample(), "log").map((hit) => hit.id)).toContain("inner/log");
  expect(search(sample(), "controlrate").map((hit) => hit.id)).toEqual(["throttle"]);
});

test("values of properties are found with their place", () => {
  expect(search(sample(), "#{topic}")).toMatchObject([{ id: "publish", where: "properties.topic: #{topic}" }]);
});
