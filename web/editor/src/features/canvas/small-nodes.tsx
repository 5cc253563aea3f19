import type { NodeProps } from "@xyflow/react";
import { NodeResizer } from "@xyflow/react";
import { LogIn, LogOut, Merge } from "lucide-react";
import { memo } from "react";
import { setValue } from "../../document/edits";
import { find } from "../../document/tree";
import type { Label, Port } from "../../document/types";
import { act, useDocument } from "../../state/document-store";
import type { CanvasNode } from "./adapter";
import { Ends, ProblemBadge, useProblems } from "./node-parts";
import { useOnPath } from "./path-mark";

function PortCard({ id, data, selected, type }: NodeProps<CanvasNode>) {
  const Icon = type === "inputs" ? LogIn : LogOut;
  return (
    <div className={`pill ${selected ? "selected" : ""} ${useOnPath(id)}`}>
      <Ends input={type === "outputs"} output={type === "inputs"} />
      <Icon size={14} aria-hidden />
      <span className="card-title">{(data.value as Port).name || data.slug}</span>
      <ProblemBadge problems={useProblems(id)} />
    </div>
  );
}

export const PortNode = memo(PortCard);

export const FunnelNode = memo(function FunnelNode({ id, selected }: NodeProps<CanvasNode>) {
  const problems = useProblems(id);
  return (
    <div className={`funnel ${selected ? "selected" : ""} ${useOnPath(id)}`} title="funnel: joins connections">
      <Ends />
      <Merge size={18} aria-hidden style={{ transform: "rotate(90deg)" }} />
      <ProblemBadge problems={problems} />
    </div>
  );
});

function resize(id: string, width: number, height: number): void {
  const { document } = useDocument.getState();
  if (!document || !find(document, "labels", id)) return;
  act("resize label", [
    setValue(document, "labels", id, ["width"], Math.round(width)),
    setValue(document, "labels", id, ["height"], Math.round(height)),
  ]);
}

export const LabelNode = memo(function LabelNode({ id, data, selected }: NodeProps<CanvasNode>) {
  const label = data.value as Label;
  return (
    <div className={`label-node ${selected ? "selected" : ""}`} style={label.colour ? { background: label.colour, color: "#1f2937" } : undefined}>
      <NodeResizer isVisible={!!selected} minWidth={80} minHeight={30} onResizeEnd={(_, size) => resize(id, size.width, size.height)} />
      {label.text}
    </div>
  );
});
