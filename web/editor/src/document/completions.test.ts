import { expect, test } from "vitest";
import { attributesOf, inputsOf, offersAt } from "./completions";
import type { Names } from "./completions";
import { sample } from "./sample";

const NAMES: Names = {
  attributes: new Map([["user", "read"]]),
  parameters: ["topic"],
  vocabulary: {
    filters: [{ name: "upper", signature: "()", description: "In capital letters." }, { name: "default", signature: "(replacement)", description: "" }],
    functions: [{ name: "now", signature: "()", description: "" }],
    fields: [{ name: "flowfile.size", signature: "", description: "" }],
  },
  texts: ["orders"],
};
const labels = (before: string, kind: "expression" | "predicate" = "expression") => offersAt(before, kind, NAMES)?.offers.map((one) => one.label);

test("inside braces attributes, fields and functions are offered, behind a bar filters", () => {
  expect(labels("a {{ us")).toEqual(["user", "flowfile.size", "now"]);
  expect(labels("{{ user | up")).toEqual(["upper", "default"]);
  expect(offersAt("{{ user | up", "expression", NAMES)?.from).toBe(10);
});

test("outside of braces it is text: topics at its start, parameters after a hash", () => {
  expect(labels("or")).toEqual(["orders"]);
  expect(labels("{{ user }} x")).toBeUndefined();
  expect(labels("a-#{to")).toEqual(["#{topic}"]);
});

test("a predicate needs no braces, and nothing is offered inside quotes", () => {
  expect(labels("us", "predicate")).toContain("user");
  expect(labels("user == 'x", "predicate")).toBeUndefined();
});

test("attributes say who writes them, and inputs are found by id", () => {
  const writes = (type: string) => (type === "PublishKafka" ? { "kafka.offset": "", "kafka.header.*": "" } : {}) as Record<string, string>;
  expect(attributesOf(sample(), writes).get("kafka.offset")).toBe("publish");
  expect(attributesOf(sample(), writes).get("name")).toBe("read");
  expect(inputsOf(sample(), "throttle")).toEqual(["read-throttle"]);
});
