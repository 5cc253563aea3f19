import { expect, test } from "vitest";
import type { Member, Offset } from "../../api/kafka";
import { advice, laned, ordered, progress, sharesOf } from "./figures";

const member = (id: string, ...partitions: number[]): Member => {
  return { id, client_id: id, host: "", instance_id: null, idle: !partitions.length, partitions: partitions.map((partition) => ({ topic: "users", partition })) };
};
const offset = (partition: number, committed: number | null, end: number, first = 0): Offset => {
  return { topic: "users", partition, committed, first, end, lag: end - (committed ?? first), member: null };
};
const three = [0, 1, 2].map((partition) => offset(partition, 1, 2));

test("shares are by topic and in order", () => {
  expect(sharesOf(member("a", 2, 0))).toEqual([{ topic: "users", partitions: [0, 2] }]);
});

test("who has most comes first and the idle one last", () => {
  const found = ordered([member("d"), member("a", 1), member("b", 0, 2)]);
  expect(found.map((one) => one.id)).toEqual(["b", "a", "d"]);
});

test("advice fits the chapter's experiment", () => {
  expect(advice({ members: [member("a", 0, 1), member("b", 2)], offsets: three })).toBe("2 members share 3 partitions. Up to 1 more could help.");
  expect(advice({ members: [member("a", 0), member("b", 1), member("c", 2), member("d")], offsets: three })).toMatch(/^3 partitions for 4 members: one has nothing to do/);
  expect(advice({ members: [member("a", 0), member("b", 1), member("c", 2)], offsets: three })).toMatch(/One more member would be idle/);
  expect(advice({ members: [], offsets: three })).toMatch(/^Nobody reads/);
});

test("a bar is what is held: read, and still to read", () => {
  expect(progress(offset(0, 5, 20))).toEqual({ read: 25, behind: 75 });
  expect(progress(offset(0, 20, 20))).toEqual({ read: 100, behind: 0 });
  expect(progress(offset(0, null, 20, 10))).toEqual({ read: 0, behind: 100 });
  expect(progress(offset(0, 9999, 10_000)).behind).toBe(1);
});

test("events have their place between the first of them and now", () => {
  const events = [{ time: 0, kind: "joined", text: "a" }, { time: 50e6, kind: "left", text: "b" }] as const;
  const { lanes } = laned([...events], 100e6);
  expect(lanes.map((lane) => [lane.kind, lane.marks[0]?.at])).toEqual([["joined", 0], ["left", 50]]);
});
