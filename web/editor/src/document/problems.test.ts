import { expect, test } from "vitest";
import { fieldOf, placeOf, tabOf } from "./problems";
import type { Problem } from "./types";

const problem = (property: string, message = ""): Problem => ({ component: "put", property, message, severity: "error" });

test("the property comes from the path, else from the message", () => {
  expect(fieldOf(problem("properties.routes.big"))).toBe("routes");
  expect(fieldOf(problem("type", "processor 'put' (PutFile): property 'directory' must be given"))).toBe("directory");
  expect(fieldOf(problem("", "relationship 'success' must lead somewhere"))).toBe("");
});

test("each problem is solved on one tab", () => {
  expect(tabOf(problem("properties.topic"))).toBe("properties");
  expect(tabOf(problem("scheduling.cron"))).toBe("scheduling");
  expect(tabOf(problem("", "relationship 'success' must lead somewhere"))).toBe("relationships");
});

test("a place in a file is named when it is known", () => {
  expect(placeOf({ ...problem(""), line: 2, column: 9 })).toBe("line 2, column 9: ");
  expect(placeOf(problem(""))).toBe("");
});
