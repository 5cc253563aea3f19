import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import { drawnIn, positionsIn } from "../../document/layout";
import type { Position } from "../../document/types";
import { useDocument } from "../../state/document-store";
import { useUi } from "../../state/ui-store";

const FIT = { padding: 0.1, maxZoom: 1, minZoom: 0.1 };

const READABLE: Position = [4200, 2600]; // what fits the canvas at a zoom at which names can be read
const BEGINNING: Position = [1800, 1200];

/** Of a group that is too large to be read as a whole, what stands at its left and upper end. */
function beginning(places: Record<string, Position>): { id: string }[] {
  const [xs, ys] = [0, 1].map((axis) => Object.values(places).map((at) => at[axis as 0 | 1])) as [number[], number[]];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  if (Math.max(...xs) - left < READABLE[0] && Math.max(...ys) - top < READABLE[1]) return [];
  const near = Object.entries(places).filter(([, [x, y]]) => x - left < BEGINNING[0] && y - top < BEGINNING[1]);
  return near.map(([id]) => ({ id }));
}

/** Fit a group when it is entered; bring what was asked for into view ("*" is everything). */
export function useCentring(): void {
  const flow = useReactFlow();
  const group = useUi((ui) => ui.group);
  const centre = useUi((ui) => ui.centre);
  const ready = useDocument((state) => !!state.document);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  useEffect(() => {
    const { document } = useDocument.getState();
    // Fitting nothing is put off by the library until the first node comes, which must not jump.
    if (!document || !drawnIn(document, group).length) return;
    const nodes = beginning(positionsIn(document, group));
    const frame = requestAnimationFrame(() => void flow.fitView(nodes.length ? { ...FIT, nodes } : FIT));
    return () => cancelAnimationFrame(frame);
  }, [flow, group, ready]);
  useEffect(() => {
    if (!centre) return;
    const frame = requestAnimationFrame(() => {
      const duration = calm ? 0 : 250;
      void flow.fitView(centre === "*" ? { ...FIT, duration } : { ...FIT, nodes: [{ id: centre }], duration });
      useUi.getState().show({ centre: undefined });
    });
    return () => cancelAnimationFrame(frame);
  }, [flow, centre, calm]);
}
