import type { NodeProps } from "@xyflow/react";
import { CircleAlert, Gauge, Hourglass, Moon, RotateCw, Zap } from "lucide-react";
import { memo } from "react";
import { bytes, clock, count, span } from "../../document/format";
import type { Processor } from "../../document/types";
import type { ProcessorStatus } from "../../api/runner";
import { useCatalogue } from "../../state/catalogue-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { StateIcon } from "../../ui/state-icon";
import type { CanvasNode } from "./adapter";
import { Ends, ProblemBadge, useProblems } from "./node-parts";
import { PathMark } from "./path-mark";
import { WindowTimeline } from "./window-timeline";

export const ProcessorNode = memo(function ProcessorNode({ id, data, selected }: NodeProps<CanvasNode>) {
  const processor = data.value as Processor;
  const live = useLive((state) => state.processors[id]);
  const flowState = useLive((state) => state.state);
  const known = useCatalogue((state) => !Object.keys(state.processors).length || !!state.processors[processor.type]);
  const source = useCatalogue((state) => state.processors[processor.type]?.input === "forbidden");
  const onPath = useUi((ui) => ui.lineage?.has(id));
  const touched = useUi((ui) => ui.touched.has(id));
  const armed = useUi((ui) => ui.armed === id);
  const problems = useProblems(id);
  const invalid = problems.some((one) => one.severity === "error");
  const idle = processor.disabled ? "disabled" : invalid ? "invalid" : "stopped";
  const state = live && flowState !== "stopped" ? live.state : idle;
  const classes = ["card", `is-${state}`, selected && "selected", onPath && "on-path", armed && "armed", touched && "touched", live?.blocked && "blocked"];
  const far = useUi((ui) => ui.far);
  if (far) return <FarCard className={classes.filter(Boolean).join(" ")} title={processor.name || data.slug} source={source} />;
  return (
    <div className={classes.filter(Boolean).join(" ")}>
      <Ends input={!source} />
      <PathMark id={id} />
      <div className="card-head">
        <StateIcon state={state} />
        <span className="card-title">{processor.name || data.slug}</span>
        {live?.bulletin && <BulletinMark status={live} />}
        <ProblemBadge problems={problems} />
      </div>
      <div className="card-type">
        <span className="card-kind">
          {processor.type}
          {!known && " (unknown type)"}
        </span>
        {live && <Marks status={live} />}
      </div>
      {live?.windows ? <WindowTimeline windows={live.windows} width={214} height={20} /> : null}
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
    <div className="card-figures" title={FIGURES}>
      <span data-testid="in">
        <b>{count(recent?.flowfiles_in ?? 0)}</b> in
      </span>
      <span data-testid="out">
        <b>{count(recent?.flowfiles_out ?? 0)}</b> out
      </span>
      <span>{bytes((recent?.bytes_in ?? 0) + (recent?.bytes_out ?? 0))}</span>
      <span data-testid="tasks">
        <b>{count(recent?.tasks ?? 0)}</b> {recent?.tasks === 1 ? "task" : "tasks"}
      </span>
    </div>
  );
}

const FIGURES = "in the last five minutes: FlowFiles in and out, their size, triggers";

const LONG = 500_000; // µs; sources with a rate yield for a moment all the time

/** What it does or waits for at this moment; the most important first, since there is little room. */
function Marks({ status }: { status: ProcessorStatus }) {
  const { active = 0, yielding = 0, penalized = 0, failures = 0, blocked } = status;
  return (
    <span className="card-marks">
      {blocked && <span className="warn" title="a connection after it is full: it waits"><Gauge size={12} aria-hidden /> throttled</span>}
      {failures > 0 && <span className="bad" title="triggers that failed in a row"><RotateCw size={12} aria-hidden /> {failures} failed</span>}
      {penalized > 0 && <span className="warn" title="FlowFiles that wait for the end of a penalty"><Hourglass size={12} aria-hidden /> {count(penalized)} penalized</span>}
      {yielding > LONG && !blocked && <span title={`it yields for ${span(yielding)} more`}><Moon size={12} aria-hidden /> yields</span>}
      {active > 0 && <span className="good" title="triggers under way now" data-testid="active"><Zap size={12} aria-hidden /> {active}</span>}
    </span>
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
