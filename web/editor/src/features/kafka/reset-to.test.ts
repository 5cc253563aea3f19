import { expect, test } from "vitest";
import type { Offset } from "../../api/kafka";
import { askedFor, target } from "./reset-to";
import { wrongInValue } from "./values";

const own = [0, 1].map((partition): Offset => ({ topic: "users", partition, committed: partition ? null : 4, first: 1, end: 9, lag: 0, member: null }));
const wish = { time: "", offsets: {} };

test("the ends need no more than their name", () => {
  expect(askedFor({ ...wish, to: "earliest" }, own)).toBe("earliest");
  expect(target("latest", own[0] as Offset)).toBe(9);
});

test("a time is asked for in microseconds", () => {
  expect(askedFor({ ...wish, to: "time", time: "1970-01-01T00:00:02Z" }, own)).toBe(2_000_000);
  expect(askedFor({ ...wish, to: "time" }, own)).toBeUndefined();
});

test("an offset that was not filled in stays where it is", () => {
  const asked = askedFor({ ...wish, to: "offsets", offsets: { 1: "7" } }, own);
  expect(asked).toEqual({ 0: 4, 1: 7 });
  expect(target(asked, own[1] as Offset)).toBe(7);
  expect(askedFor({ ...wish, to: "offsets", offsets: { 1: "x" } }, own)).toBeUndefined();
});

test("a value that cannot be sent says why", () => {
  expect(wrongInValue("0aFF", "hex")).toBe("");
  expect(wrongInValue("0a F", "hex")).toBe("Hex is pairs of 0-9 and a-f.");
  expect(wrongInValue("{", "json")).toMatch(/^No JSON: /);
});
