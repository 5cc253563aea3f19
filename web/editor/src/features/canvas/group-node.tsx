import type { NodeProps } from "@xyflow/react";
import { FileSymlink, FolderOpen } from "lucide-react";
import { memo } from "react";
import { useShallow } from "zustand/shallow";
import { count } from "../../document/format";
import type { Body } from "../../document/types";
import { useLive } from "../../state/live-store";
import { StateIcon } from "../../ui/state-icon";
import type { CanvasNode } from "./adapter";
import { Ends, ProblemBadge, useProblems } from "./node-parts";
import { PathMark, useOnPath } from "./path-mark";

/** Figures of all that is inside. */
function useInside(id: string) {
  return useLive(
    useShallow((live) => {
      const inside = Object.entries(live.processors).filter(([name]) => name.startsWith(`${id}/`));
      const queued = inside.reduce((sum, [, one]) => sum + (one.queued ?? 0), 0);
      const running = inside.filter(([, one]) => one.state === "running").length;
      const stopped = inside.filter(([, one]) => one.state === "stopped").length;
      return { queued, running, stopped, known: inside.length, live: live.state };
    }),
  );
}

export const GroupNode = memo(function GroupNode({ id, data, selected }: NodeProps<CanvasNode>) {
  const group = data.value as Body;
  const { queued, running, stopped, known } = useInside(id);
  const problems = useProblems(id, true);
  const onPath = useOnPath(id);
  const Icon = group.flow === undefined ? FolderOpen : FileSymlink;
  const invalid = problems.some((one) => one.severity === "error");
  const state = running ? "running" : invalid ? "invalid" : "stopped";
  const size = Object.keys(group.processors ?? {}).length + Object.keys(group.groups ?? {}).length;
  return (
    <div className={`card group-card is-${state} ${selected ? "selected" : ""} ${onPath}`}>
      <Ends />
      <PathMark id={id} />
      <div className="card-head">
        <StateIcon state={state} />
        <span className="card-title">{group.name || data.slug}</span>
        <ProblemBadge problems={problems} />
      </div>
      <div className="card-type">
        <Icon size={13} aria-hidden /> {group.flow === undefined ? `group of ${size}` : group.flow}
      </div>
      {known ? (
        <div className="card-figures">
          <span><b>{running}</b> running</span>
          <span><b>{stopped}</b> stopped</span>
          <span><b>{count(queued)}</b> queued</span>
        </div>
      ) : (
        <div className="card-idle">double-click to open</div>
      )}
    </div>
  );
});
