import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** Queued FlowFiles, a point a second, the last one now. */
export function draw(place: HTMLElement, values: number[]): uPlot {
  const style = getComputedStyle(place);
  const [text, line, grid] = ["--muted", "--accent", "--line"].map((name) => style.getPropertyValue(name).trim());
  const now = Date.now() / 1000;
  const times = values.map((_, index) => now - (values.length - 1 - index));
  const axis = { stroke: text as string, grid: { stroke: grid as string, width: 1 } };
  const size = { width: place.clientWidth || 600, height: 180 };
  const series = [{}, { label: "queued", stroke: line as string, width: 2, fill: `color-mix(in srgb, ${line} 15%, transparent)` }];
  return new uPlot({ ...size, legend: { show: false }, cursor: { show: false }, axes: [axis, axis], scales: { y: { range: (_, __, most) => [0, Math.max(most, 1)] } }, series }, [times, values], place);
}
