import { expect, test } from "vitest";
import type { KafkaRecord } from "../../api/kafka";
import { bytesOf, keep, NO_FILTERS, NOTHING, preview, queryOf, wrongIn } from "./tail";

const record = (offset: number, value = "v"): KafkaRecord => ({ partition: 0, offset, timestamp: 0, key: null, value, headers: [], size: value.length });

test("a query holds what was filled in", () => {
  expect(queryOf(NO_FILTERS)).toBe("?from=end");
  expect(queryOf({ ...NO_FILTERS, from: "offset", offset: "7", partition: "1", header: "a=b" })).toBe("?from=offset%3A7&partition=1&header=a%3Db");
  expect(queryOf({ ...NO_FILTERS, from: "time", time: "1970-01-01T00:00:01Z" })).toBe("?from=1000000");
  expect(queryOf({ ...NO_FILTERS, equals: "x" })).toBe("?from=end");
});

test("filters that cannot be asked say so", () => {
  expect(wrongIn(NO_FILTERS)).toBe("");
  expect(wrongIn({ ...NO_FILTERS, from: "offset", offset: "x" })).toBe("offset must be a whole number; got x");
  expect(wrongIn({ ...NO_FILTERS, header: "trace" })).toBe("header must be written as name=value; got trace");
  expect(wrongIn({ ...NO_FILTERS, path: "a.b" })).toBe("JSON path must begin with $; got a.b");
});

test("only the newest records are kept", () => {
  const kept = keep(keep(NOTHING, [record(0), record(1)], 3), [record(2), record(3)], 3);
  expect(kept.records.map((one) => one.offset)).toEqual([1, 2, 3]);
  expect([kept.seen, kept.dropped]).toEqual([4, 1]);
});

test("large records are kept within the bytes, but the last one always is", () => {
  const kept = keep(NOTHING, [record(0, "x".repeat(600)), record(1, "y".repeat(600)), record(2, "z".repeat(9000))], 100, 3000);
  expect(kept.records.map((one) => one.offset)).toEqual([2]);
  expect(keep(kept, [record(3)], 100, 3000).bytes).toBeLessThan(3000);
});

test("a preview is one line, also of bytes and of nothing", () => {
  expect(preview({ value: '{\n  "a": 1\n}' })).toBe('{ "a": 1 }');
  expect(preview({ value: null, value_hex: "00ff" })).toBe("0x00ff");
  expect(preview({ value: null })).toBe("null");
  expect([...bytesOf(null, "00ff")]).toEqual([0, 255]);
});
