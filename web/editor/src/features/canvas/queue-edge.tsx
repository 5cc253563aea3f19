import { BaseEdge, EdgeLabelRenderer, getBezierPath } from "@xyflow/react";
import type { EdgeProps } from "@xyflow/react";
import { Gauge } from "lucide-react";
import { memo } from "react";
import type { ConnectionStatus } from "../../api/runner";
import { bytes, count } from "../../document/format";
import type { Connection } from "../../document/types";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import type { CanvasEdge } from "./adapter";

export const QueueEdge = memo(function QueueEdge(props: EdgeProps<CanvasEdge>) {
  const { id, data, selected, markerEnd } = props;
  const live = useLive((state) => state.connections[id]);
  const onPath = useUi((ui) => ui.lineage?.has(id));
  const far = useUi((ui) => ui.far);
  const [path, x, y] = getBezierPath(props);
  const classes = ["queue-edge", live?.full && "full", (live?.percent ?? 0) >= 80 && "nearly", selected && "selected", onPath && "on-path"];
  return (
    <>
      <BaseEdge id={id} path={path} {...(markerEnd && { markerEnd })} className={classes.filter(Boolean).join(" ")} interactionWidth={18} />
      {!far && (
        <EdgeLabelRenderer>
          <QueueLabel id={id} x={x} y={y} connection={data?.value} live={live} selected={!!selected} />
        </EdgeLabelRenderer>
      )}
    </>
  );
});

interface LabelProps {
  id: string;
  x: number;
  y: number;
  connection: Connection | undefined;
  live: ConnectionStatus | undefined;
  selected: boolean;
}

function QueueLabel({ id, x, y, connection, live, selected }: LabelProps) {
  const names = connection?.name || connection?.relationships?.join(", ");
  const percent = live?.percent ?? 0;
  const tone = live?.full ? "full" : percent >= 80 ? "nearly" : "";
  if (!names && !live) return null;
  return (
    <div
      className={`queue-label nodrag nopan ${tone} ${selected ? "selected" : ""}`}
      style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
      title={live ? `${live.queued ?? 0} queued (${bytes(live.bytes ?? 0)}), ${percent} % full; double-click lists them` : names}
      data-testid={`queue-${id}`}
      onClick={(event) => {
        event.stopPropagation();
        useUi.getState().select([], event.shiftKey ? [...useUi.getState().edges, id] : [id]);
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        event.stopPropagation();
        useUi.getState().select([], [id]);
        useUi.getState().show({ menu: { x: event.clientX, y: event.clientY, kind: "edge", id, at: [x, y] } });
      }}
      onDoubleClick={(event) => {
        event.stopPropagation();
        if (live) useUi.getState().show({ dialog: { kind: "queue", connection: id } });
      }}
    >
      {names && <span className="queue-names">{names}</span>}
      {live && (
        <span className="queue-figures">
          {live.full && <Gauge size={11} aria-label="full" />}
          <b>{count(live.queued ?? 0)}</b> {percent >= 1 ? <em>{Math.round(percent)} %</em> : live.queued ? bytes(live.bytes ?? 0) : "queued"}
        </span>
      )}
      {live && (
        <span className="queue-bar" aria-hidden>
          <i style={{ width: `${Math.min(percent, 100)}%` }} />
        </span>
      )}
    </div>
  );
}
