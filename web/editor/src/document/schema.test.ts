import { expect, test } from "vitest";
import { fieldsOf, parsed, secretsOf } from "./schema";
import type { Schema } from "./schema";

const schema: Schema = {
  $defs: { Mode: { enum: ["once", "watch"], type: "string", description: "Whether to end." } },
  properties: {
    path: { type: "string", description: "Where." },
    mode: { $ref: "#/$defs/Mode", default: "once" },
    rate: { anyOf: [{ type: ["string", "integer"] as string[], format: "rate" }, { type: "null" }], default: null },
    wait: { type: "string", format: "duration", default: "1 min" },
    count: { type: "integer", default: 0 },
    topics: { type: "array", items: { type: "string" } },
    routes: { type: "object", additionalProperties: { type: "string", format: "predicate" } },
    schema: { type: "object", additionalProperties: { anyOf: [{ type: "string" }, { type: "object" }] } },
    password: { anyOf: [{ type: "string", format: "secret" }, { type: "null" }], default: null },
    connection: { type: "string", format: "service", service: "KafkaConnection" },
  },
  required: ["path"],
};

test("each property gets the widget of its type", () => {
  const widgets = Object.fromEntries(fieldsOf(schema).map((one) => [one.name, one.widget]));
  expect(widgets).toEqual({ path: "text", mode: "enum", rate: "rate", wait: "duration", count: "integer", topics: "list", routes: "map", schema: "json", password: "secret", connection: "service" });
});

test("options, defaults, help and marks come from the schema", () => {
  const [path, mode, rate] = fieldsOf(schema);
  expect(path).toMatchObject({ title: "Path", required: true, description: "Where." });
  expect(mode).toMatchObject({ options: ["once", "watch"], default: "once", description: "Whether to end." });
  expect(rate).toMatchObject({ nullable: true, required: false });
});

test("numbers are numbers, parameters stay text, nothing is unset", () => {
  expect(parsed("12", "integer")).toBe(12);
  expect(parsed("#{count}", "integer")).toBe("#{count}");
  expect(parsed("12", "text")).toBe("12");
  expect(parsed("", "text")).toBeNull();
});

test("secrets are known by their format", () => {
  expect(secretsOf(schema)).toEqual(["password"]);
});
