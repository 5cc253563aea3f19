import { Handle, Position } from "@xyflow/react";
import { TriangleAlert } from "lucide-react";
import { useShallow } from "zustand/shallow";
import { fieldOf, tabOf } from "../../document/problems";
import type { Problem } from "../../document/types";
import { useDocument } from "../../state/document-store";
import { reveal, useUi } from "../../state/ui-store";

/** Where wires begin and end. Keyboard users connect with the key C. */
export function Ends({ input = true, output = true }: { input?: boolean; output?: boolean }) {
  return (
    <>
      {input && <Handle type="target" position={Position.Left} />}
      {output && <Handle type="source" position={Position.Right} />}
    </>
  );
}

const NONE: Problem[] = [];
let indexed: { of: Problem[]; map: Map<string, Problem[]> } = { of: NONE, map: new Map() };

/** Many nodes ask for the same list, so it is sorted once. */
function byComponent(problems: Problem[], id: string): Problem[] {
  if (indexed.of !== problems) indexed = { of: problems, map: Map.groupBy(problems, (one) => one.component) };
  return indexed.map.get(id) ?? NONE;
}

/** Errors of a component, those inside a group included. */
export function useProblems(id: string, inside = false): Problem[] {
  return useDocument(useShallow((state) => (inside ? state.problems.filter((one) => one.component === id || one.component.startsWith(`${id}/`)) : byComponent(state.problems, id))));
}

export function ProblemBadge({ problems }: { problems: Problem[] }) {
  const errors = problems.filter((one) => one.severity === "error");
  if (!problems.length) return null;
  const tone = errors.length ? "error" : "warning";
  const title = problems.map((one) => one.message + (one.remedy ? `\n→ ${one.remedy}` : "")).join("\n\n");
  const first = problems[0] as Problem;
  return (
    <button
      type="button"
      className={`problem-badge ${tone} nodrag`}
      title={title}
      aria-label={`${problems.length} ${tone === "error" ? "problems" : "warnings"}: ${first.message}`}
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        useUi.getState().show({ dock: "problems", inspector: tabOf(first) });
        reveal(first.component, fieldOf(first));
      }}
    >
      <TriangleAlert size={12} aria-hidden />
      {problems.length}
    </button>
  );
}
