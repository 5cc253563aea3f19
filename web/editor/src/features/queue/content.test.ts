import { expect, test } from "vitest";
import { asHex, asJson, asTable } from "./content";

test("lines of JSON are records of a table", () => {
  const text = '{"a":1}\n{"a":2,"b":"x"}\n';
  expect(asTable(text)).toEqual({ columns: ["a", "b"], rows: [["1", ""], ["2", "x"]] });
  expect(asJson(text)).toEqual([{ a: 1 }, { a: 2, b: "x" }]);
});

test("other text is no JSON", () => {
  expect(asJson("hello")).toBeUndefined();
  expect(asTable('{"a":1}')).toBeUndefined();
});

test("hex shows offset, bytes and characters", () => {
  expect(asHex(new TextEncoder().encode("Hi\n"))).toMatch(/^00000000 {2}48 69 0a +Hi\.$/);
});
