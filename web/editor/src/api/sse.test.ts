import { expect, test } from "vitest";
import { eventsIn } from "./sse";

test("whole events come out and the begun one waits", () => {
  const { events, rest } = eventsIn('event: record\ndata: {"a":1}\n\n: still here\n\nevent: end\nda');
  expect(events).toEqual([{ event: "record", data: '{"a":1}' }]);
  expect(rest).toBe("event: end\nda");
});

test("lines of one event are joined, and a carriage return is no part of them", () => {
  expect(eventsIn("id: 4\r\ndata: a\r\ndata: b\r\n\r\n").events).toEqual([{ event: "message", data: "a\nb" }]);
});
