import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { bytes, count } from "../../document/format";
import type { Metric } from "./figures";

const COLOURS = ["--accent", "--good"];
const UNITS: Record<Metric["unit"], (value: number) => string> = { count, bytes, percent: (value) => `${Math.round(value)} %` };
const HEIGHT = 150;

export interface Drawing {
  labels: string[];
  unit: Metric["unit"];
  data: [number[], ...(number | null)[][]];
  /** s; what the time axis shows however few points there are. */
  from: number;
  to: number;
}

/** Lines over time, in the page's colours; the second one is dashed as well. */
export function draw(place: HTMLElement, { labels, unit, data, from, to }: Drawing): uPlot {
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const stroke = colour("--muted");
  const grid = { stroke: colour("--line"), width: 1 };
  const shown = UNITS[unit];
  const series = labels.map((label, index) => {
    const line = colour(COLOURS[index] ?? "--text");
    const lone = data[0].length < 3;
    return { label, stroke: line, width: 2, points: { show: lone }, ...(index ? { dash: [6, 3] } : { fill: `color-mix(in srgb, ${line} 12%, transparent)` }), value: (_: uPlot, value: number | null) => (value === null ? "–" : shown(value)) };
  });
  return new uPlot(
    {
      width: Math.max(place.clientWidth, 200),
      height: HEIGHT,
      cursor: { sync: { key: "figures" } },
      legend: { show: true },
      axes: [
        { stroke, grid, values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })) },
        { stroke, grid, size: 62, values: (_, ticks) => ticks.map(shown) },
      ],
      scales: { x: { range: () => [from, to] }, y: { range: (_, __, most) => [0, Math.max(most * 1.05, 1)] } },
      series: [{ value: (_: uPlot, value: number | null) => (value === null ? "" : new Date(value * 1000).toLocaleTimeString([], { hour12: false })) }, ...series],
    },
    data,
    place,
  );
}
