import { expect, test } from "vitest";
import { aligned, arranged, positionsIn, SIZES } from "./layout";
import { sample } from "./sample";
import type { FlowDocument } from "./types";

test("sixty nodes are laid out from left to right without overlap", async () => {
  const names = Array.from({ length: 60 }, (_, index) => `n${index}`);
  const flow: FlowDocument = { format: 1, name: "big", processors: Object.fromEntries(names.map((name) => [name, { type: "T" }])), connections: names.slice(1).map((to, index) => ({ from: `n${index >> 1}`, to })) };
  const places = Object.values(await arranged(flow, ""));
  const [width, height] = SIZES.processors;
  const overlaps = places.flatMap((a, i) => places.slice(i + 1).filter((b) => Math.abs(a[0] - b[0]) < width && Math.abs(a[1] - b[1]) < height));
  expect(places).toHaveLength(60);
  expect(overlaps).toEqual([]);
});

test("a component without a position stands behind what leads to it", () => {
  const places = positionsIn({ ...sample(), layout: {} }, "");
  expect(places["throttle"]![0]).toBeGreaterThan(places["read"]![0]);
});

test("aligning keeps the other coordinate", () => {
  const boxes = [{ id: "a", at: [0, 0] as [number, number], size: [240, 104] as [number, number] }, { id: "b", at: [50, 200] as [number, number], size: [100, 50] as [number, number] }];
  expect(aligned(boxes, "left")).toEqual({ a: [0, 0], b: [0, 200] });
  expect(aligned(boxes, "right")).toEqual({ a: [0, 0], b: [140, 200] });
});
