import { CircleAlert, CircleCheck, TriangleAlert } from "lucide-react";
import { fieldOf, tabOf } from "../../document/problems";
import type { Problem } from "../../document/types";
import { useDocument } from "../../state/document-store";
import { reveal, useUi } from "../../state/ui-store";
import { Empty } from "../../ui/empty";

export function Problems() {
  const problems = useDocument((state) => state.problems);
  if (!problems.length) return <Empty icon={CircleCheck} title="No problems">This draft can be deployed.</Empty>;
  return (
    <ul className="rows">
      {problems.map((problem, index) => (
        <li key={index}>
          <button type="button" className="row" onClick={() => open(problem)}>
            {problem.severity === "error" ? <CircleAlert className="bad" size={14} aria-label="error" /> : <TriangleAlert className="warn" size={14} aria-label="warning" />}
            <b>{problem.component || "flow"}</b>
            <span>{problem.message}</span>
            {problem.remedy && <em>→ {problem.remedy}</em>}
          </button>
        </li>
      ))}
    </ul>
  );
}

function open(problem: Problem): void {
  const { component } = problem;
  if (!component) return;
  const { document } = useDocument.getState();
  if (document?.services?.[component]) useUi.getState().show({ dialog: { kind: "services" } });
  else {
    useUi.getState().show({ inspector: tabOf(problem) });
    reveal(component, fieldOf(problem));
  }
}
