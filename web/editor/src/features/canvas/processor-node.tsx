import type { NodeProps } from "@xyflow/react";
import { CircleAlert, Gauge, Hourglass } from "lucide-react";
import { memo } from "react";
import { bytes, clock, count } from "../../document/format";
import type { Processor } from "../../document/types";
import type { ProcessorStatus } from "../../api/runner";
import { useCatalogue } from "../../state/catalogue-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { StateIcon } from "../../ui/state-icon";
import type { CanvasNode } from "./adapter";
import { Ends, ProblemBadge, useProblems } from "./node-parts";

export const ProcessorNode = memo(function ProcessorNode({ id, data, selected }: NodeProps<CanvasNode>) {
  const processor = data.value as Processor;
  const live = useLive((state) => state.processors[id]);
  const flowState = useLive((state) => state.state);
  const known = useCatalogue((state) => !Object.keys(state.processors).length || !!state.processors[processor.type]);
  const source = useCatalogue((state) => state.processors[processor.type]?.input === "forbidden");
  const onPath = useUi((ui) => ui.lineage?.has(id));
  const armed = useUi((ui) => ui.armed === id);
  const problems = useProblems(id);
  const invalid = problems.some((one) => one.severity === "error");
  const idle = processor.disabled ? "disabled" : invalid ? "invalid" : "stopped";
  const state = live && flowState !== "stopped" ? live.state : idle;
  const classes = ["card", `is-${state}`, selected && "selected", onPath && "on-path", armed && "armed", live?.blocked && "blocked"];
  const far = useUi((ui) => ui.far);
  if (far) return <FarCard className={classes.filter(Boolean).join(" ")} title={processor.name || data.slug} source={source} />;
  return (
    <div className={classes.filter(Boolean).join(" ")}>
      <Ends input={!source} />
      <div className="card-head">
        <StateIcon state={state} />
        <span className="card-title">{processor.name || data.slug}</span>
        {live?.bulletin && <BulletinMark status={live} />}
        <ProblemBadge problems={problems} />
      </div>
      <div className="card-type">
        {processor.type}
        {!known && " (unknown type)"}
      </div>
      {live ? <Figures status={live} /> : <div className="card-idle">{processor.comments || "not running"}</div>}
    </div>
  );
});

/** Seen from far away: name and colour. */
function FarCard({ className, title, source }: { className: string; title: string; source: boolean }) {
  return (
    <div className={`${className} far`}>
      <Ends input={!source} />
      {title}
    </div>
  );
}

function Figures({ status }: { status: ProcessorStatus }) {
  const recent = status.recent;
  return (
    <div className="card-figures" title="in the last five minutes">
      <span data-testid="in">
        <b>{count(recent?.flowfiles_in ?? 0)}</b> in
      </span>
      <span data-testid="out">
        <b>{count(recent?.flowfiles_out ?? 0)}</b> out
      </span>
      <span>{bytes((recent?.bytes_in ?? 0) + (recent?.bytes_out ?? 0))}</span>
      {status.blocked ? (
        <span className="warn" title="a connection after it is full: it waits">
          <Gauge size={12} aria-hidden /> throttled
        </span>
      ) : status.penalized ? (
        <span className="warn" title="FlowFiles that wait after an error">
          <Hourglass size={12} aria-hidden /> {status.penalized}
        </span>
      ) : (
        <span>{status.active ? `${status.active} active` : `${count(recent?.tasks ?? 0)} tasks`}</span>
      )}
    </div>
  );
}

function BulletinMark({ status }: { status: ProcessorStatus }) {
  const bulletin = status.bulletin;
  if (!bulletin) return null;
  return (
    <span className={`bulletin-mark ${bulletin.level}`} role="img" aria-label={`${bulletin.level}: ${bulletin.message}`} title={`${clock(bulletin.time)} ${bulletin.message}`}>
      <CircleAlert size={14} aria-hidden />
    </span>
  );
}
