import { expect, test } from "vitest";
import { filtered, shownLine } from "./log-lines";

const line = shownLine({ timestamp: "12:00", level: "warning", component: "put", event: "disk is full", free: 3, exception: "Traceback" });

test("a line is time, level, component, event, the rest, then the traceback", () => {
  expect(line.text).toBe('12:00 WARNING [put] disk is full {"free":3}\nTraceback');
});

test("lines are filtered by level and text", () => {
  const lines = [line, shownLine({ level: "info", event: "started" }), shownLine("no level at all")];
  expect(filtered(lines, "warning", "").length).toBe(2);
  expect(filtered(lines, "debug", "STARTED").map((one) => one.level)).toEqual(["info"]);
  expect(filtered(lines, "error", "").length).toBe(1);
});
