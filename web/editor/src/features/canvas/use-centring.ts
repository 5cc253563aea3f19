import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import { drawnIn } from "../../document/layout";
import { useDocument } from "../../state/document-store";
import { useUi } from "../../state/ui-store";

const FIT = { padding: 0.18, maxZoom: 1, minZoom: 0.1 };

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
    const count = document ? drawnIn(document, group).length : 0;
    if (!count) return;
    useUi.getState().show({ far: count > 300 });
    const frame = requestAnimationFrame(() => void flow.fitView(FIT));
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
