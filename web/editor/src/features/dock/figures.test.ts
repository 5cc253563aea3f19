import { expect, test } from "vitest";
import { drawn, metricsOf } from "./figures";
import type { Series } from "../../api/runner";
import type { Metric } from "./figures";

const series: Series = { kind: "processors", id: "put", fields: ["flowfiles_in", "flowfiles_out", "nanoseconds"], points: [[0, 1, 2, 6e9], [60e6, 3, 4, 0], [300e6, 5, 6, 60e9]] };

test("only metrics with all their figures are offered", () => {
  expect(metricsOf(series).map((one) => one.title)).toEqual(["FlowFiles a minute", "Busy"]);
});

test("minutes in which nothing ran are a gap", () => {
  expect(drawn(series, metricsOf(series)[0] as Metric)).toEqual([[0, 60, 120, 300], [1, 3, null, 5], [2, 4, null, 6]]);
});

test("time that was worked is a share of the minute", () => {
  expect(drawn(series, metricsOf(series)[1] as Metric)[1]).toEqual([10, 0, null, 100]);
});
