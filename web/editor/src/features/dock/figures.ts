/** Figures of the last day: which there are, and points a minute with gaps where nothing ran. */

import type { Series } from "../../api/runner";

export interface Metric {
  title: string;
  unit: "count" | "bytes" | "percent";
  lines: { field: string; label: string }[];
  /** From the value that is kept to the one that is shown. */
  scale?: number;
}

const MINUTE_NS = 60e9;

const METRICS: Metric[] = [
  { title: "FlowFiles a minute", unit: "count", lines: [{ field: "flowfiles_in", label: "in" }, { field: "flowfiles_out", label: "out" }] },
  { title: "Queued FlowFiles", unit: "count", lines: [{ field: "queued", label: "queued" }] },
  { title: "Data a minute", unit: "bytes", lines: [{ field: "bytes_in", label: "in" }, { field: "bytes_out", label: "out" }] },
  { title: "Queued data", unit: "bytes", lines: [{ field: "bytes", label: "queued" }] },
  { title: "How full", unit: "percent", lines: [{ field: "percent", label: "full" }] },
  { title: "Penalized FlowFiles", unit: "count", lines: [{ field: "penalized", label: "waiting" }] },
  { title: "Busy", unit: "percent", lines: [{ field: "nanoseconds", label: "of a minute" }], scale: 100 / MINUTE_NS },
  { title: "Memory of the runner", unit: "bytes", lines: [{ field: "resident", label: "resident" }] },
];

export function metricsOf({ fields }: Pick<Series, "fields">): Metric[] {
  return METRICS.filter((metric) => metric.lines.every((line) => fields.includes(line.field)));
}

const MINUTE = 60; // s

/** Times in s, and values for each line; a minute that is missing is a gap, not a slope. */
export function drawn({ fields, points }: Series, { lines, scale = 1 }: Metric): [number[], ...(number | null)[][]] {
  const columns = lines.map((line) => fields.indexOf(line.field) + 1);
  const times: number[] = [];
  const values: (number | null)[][] = lines.map(() => []);
  for (const point of points) {
    const time = (point[0] ?? 0) / 1e6;
    const last = times.at(-1);
    if (last !== undefined && time - last > MINUTE * 1.5) {
      times.push(last + MINUTE);
      values.forEach((column) => column.push(null));
    }
    times.push(time);
    values.forEach((column, index) => column.push((point[columns[index] ?? 0] ?? 0) * scale));
  }
  return [times, ...values];
}
