import { expect, test } from "vitest";
import { substituted, usersOf, usersOfService } from "./parameters";
import { sample } from "./sample";

test("an offset in the text with values leads back to the reference", () => {
  const found = substituted("a #{topic} {{ x | }}", { topic: { value: "users-and-more" } });
  expect(found?.text).toBe("a users-and-more {{ x | }}");
  expect(found?.back(1)).toBe(1);
  expect(found?.back(found.text.indexOf("|"))).toBe("a #{topic} {{ x | }}".indexOf("|"));
});

test("a secret is not known here", () => {
  expect(substituted("#{key}", { key: { sensitive: true, env: "KEY" } })).toBeUndefined();
  expect(substituted("plain", {})?.text).toBe("plain");
});

test("who uses a parameter or a service is found", () => {
  expect(usersOf(sample(), "topic")).toEqual(["publish"]);
  expect(usersOfService(sample(), "kafka")).toEqual(["publish"]);
});
