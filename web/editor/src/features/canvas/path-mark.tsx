import { useUi } from "../../state/ui-store";

const SHOWN = 4;

/** Numbers of the events that the followed FlowFile had here. */
export function PathMark({ id }: { id: string }) {
  const numbers = useUi((ui) => ui.lineage?.get(id));
  if (!numbers?.length) return null;
  return (
    <span className="path-mark" role="img" aria-label={`events ${numbers.join(", ")}`} data-testid={`path-${id}`}>
      {numbers.slice(0, SHOWN).join(" · ")}{numbers.length > SHOWN && " …"}
    </span>
  );
}

export const useOnPath = (id: string) => useUi((ui) => (ui.lineage?.has(id) ? "on-path" : ""));
