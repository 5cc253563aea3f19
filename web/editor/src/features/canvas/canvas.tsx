import { Background, BackgroundVariant, Controls, MiniMap, ReactFlow, useReactFlow } from "@xyflow/react";
import type { Connection, EdgeChange, FinalConnectionState, NodeChange } from "@xyflow/react";
import { useCallback, useMemo, useRef, useState } from "react";
import type { DragEvent } from "react";
import { mayEdit } from "../../api/client";
import { refusal } from "../../document/rules";
import { bodyOf, kindOf, split } from "../../document/tree";
import type { Position } from "../../document/types";
import { facts } from "../../state/catalogue-store";
import { useDocument } from "../../state/document-store";
import { isDark, useUi } from "../../state/ui-store";
import { Mapper } from "./adapter";
import type { CanvasEdge, CanvasNode } from "./adapter";
import { editConnection, insert, move, startConnection } from "./commands";
import type { Insert } from "./commands";
import { GroupNode } from "./group-node";
import { ProcessorNode } from "./processor-node";
import { QueueEdge } from "./queue-edge";
import { FunnelNode, LabelNode, PortNode } from "./small-nodes";
import { useCentring } from "./use-centring";
import { useMenu } from "./use-menu";

const nodeTypes = { processors: ProcessorNode, groups: GroupNode, inputs: PortNode, outputs: PortNode, funnels: FunnelNode, labels: LabelNode };
const edgeTypes = { queue: QueueEdge };
const miniMapClass = (node: CanvasNode) => `mini-${node.type}`;

export function Canvas() {
  const document = useDocument((state) => state.document);
  const { group, nodes: chosen, edges: chosenEdges, theme, far } = useUi();
  const [moving, setMoving] = useState<Record<string, Position>>({});
  const [mapper] = useState(() => new Mapper());
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  useCentring();
  const nodes = useMemo(
    () => (document ? mapper.nodesOf(document, group, chosen, moving, mayEdit) : []),
    [document, group, chosen, moving, mapper],
  );
  const edges = useMemo(() => (document ? mapper.edgesOf(document, group, chosenEdges) : []), [document, group, chosenEdges, mapper]);
  const onNodesChange = useNodeChanges(setMoving);
  const { onConnectStart, onConnectEnd, isValid } = useConnecting(flow.screenToFlowPosition);
  const onDrop = useDrop(flow.screenToFlowPosition);
  const menu = useMenu(flow.screenToFlowPosition);
  return (
    <ReactFlow<CanvasNode, CanvasEdge>
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      onNodesChange={onNodesChange}
      onEdgesChange={onEdgesChange}
      onConnect={({ source, target }) => startConnection(source, target)}
      onConnectStart={onConnectStart}
      onConnectEnd={onConnectEnd}
      isValidConnection={isValid}
      onNodeDoubleClick={(_, node) => openNode(node.id)}
      onEdgeDoubleClick={(_, edge) => editConnection(edge.id)}
      {...menu}
      onDrop={onDrop}
      onDragOver={(event) => event.preventDefault()}
      colorMode={isDark(theme) ? "dark" : "light"}
      nodesDraggable={mayEdit}
      nodesConnectable={mayEdit}
      snapToGrid
      snapGrid={[20, 20]}
      onMove={(_, { zoom }) => farFrom(zoom)}
      deleteKeyCode={null}
      minZoom={0.1}
      maxZoom={2}
      multiSelectionKeyCode={["Shift", "Meta", "Control"]}
      zoomOnDoubleClick={false}
      onlyRenderVisibleElements={nodes.length > 300}
      elevateEdgesOnSelect
      className={far ? "far-away" : ""}
      aria-label="Canvas"
    >
      {!far && <Background variant={BackgroundVariant.Dots} gap={20} size={1.2} />}
      <Controls showInteractive={false} position="bottom-left" />
      {nodes.length > 3 && nodes.length < 1500 && (
        <MiniMap<CanvasNode> pannable zoomable position="bottom-right" nodeClassName={miniMapClass} ariaLabel="Minimap" />
      )}
    </ReactFlow>
  );
}

/** Below this zoom only names and colours are drawn. */
const FAR = 0.4;

function farFrom(zoom: number): void {
  const { far, show } = useUi.getState();
  if (far !== zoom < FAR) show({ far: zoom < FAR });
}

function openNode(id: string): void {
  const { document } = useDocument.getState();
  if (document && bodyOf(document, id)) useUi.getState().enter(id);
}

/** Drags move an overlay; the document hears of them once, at their end. */
function useNodeChanges(setMoving: (moving: Record<string, Position>) => void) {
  return useCallback(
    (changes: NodeChange<CanvasNode>[]) => {
      const going: Record<string, Position> = {};
      const ended: Record<string, Position> = {};
      for (const change of changes)
        if (change.type === "position" && change.position)
          (change.dragging ? going : ended)[change.id] = [change.position.x, change.position.y];
      if (Object.keys(going).length) setMoving(going);
      if (Object.keys(ended).length) {
        move(ended, `move ${Object.keys(ended).join(" ")}`);
        setMoving({});
      }
      select(changes, "nodes");
    },
    [setMoving],
  );
}

function onEdgesChange(changes: EdgeChange<CanvasEdge>[]): void {
  select(changes, "edges");
}

function select(changes: (NodeChange<CanvasNode> | EdgeChange<CanvasEdge>)[], what: "nodes" | "edges"): void {
  const chosen = new Set(useUi.getState()[what]);
  let changed = false;
  for (const change of changes)
    if (change.type === "select") {
      changed = true;
      if (change.selected) chosen.add(change.id);
      else chosen.delete(change.id);
    }
  if (changed) useUi.getState().show({ [what]: chosen });
}

type ToFlow = (at: { x: number; y: number }) => { x: number; y: number };

/** A wire is refused while it is drawn; dropped on nothing it offers what can follow. */
function useConnecting(toFlow: ToFlow) {
  const reason = useRef("");
  const isValid = useCallback(({ source, target }: Connection | CanvasEdge) => {
    const { document } = useDocument.getState();
    reason.current = document ? refusal(document, facts, source, target) : "";
    useUi.getState().show({ refusal: reason.current });
    return !reason.current;
  }, []);
  const onConnectStart = useCallback(() => {
    reason.current = "";
  }, []);
  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      const ui = useUi.getState();
      ui.show({ refusal: "" });
      if (state.toNode && state.isValid === false) ui.toast(`Cannot connect: ${reason.current || "both ends are alike"}`, "bad");
      else if (!state.toNode && state.fromNode && state.fromHandle?.type === "source") {
        const [x, y] = "clientX" in event ? [event.clientX, event.clientY] : [event.changedTouches[0]?.clientX ?? 0, event.changedTouches[0]?.clientY ?? 0];
        if (nodeUnder(x, y, state.fromNode.id)) return;
        const at = toFlow({ x, y });
        ui.show({ chooser: { at: [at.x, at.y - 52], from: split(state.fromNode.id)[1] } });
      }
    },
    [toFlow],
  );
  return { isValid, onConnectStart, onConnectEnd };
}

/** A wire may be dropped anywhere on a node, not on its handle alone. */
function nodeUnder(x: number, y: number, source: string): boolean {
  const id = window.document.elementFromPoint(x, y)?.closest(".react-flow__node")?.getAttribute("data-id");
  if (id) startConnection(source, id);
  return !!id;
}

function useDrop(toFlow: ToFlow) {
  return useCallback(
    (event: DragEvent) => {
      const text = event.dataTransfer.getData("application/x-flowengine");
      if (!text) return;
      event.preventDefault();
      const { x, y } = toFlow({ x: event.clientX, y: event.clientY });
      const edge = window.document.elementsFromPoint(event.clientX, event.clientY).map((one) => one.closest(".react-flow__edge")?.getAttribute("data-id") ?? one.closest("[data-testid^='queue-']")?.getAttribute("data-testid")?.slice(6)).find(Boolean);
      const { document } = useDocument.getState();
      const item = JSON.parse(text) as Insert;
      const fits = edge && document && !kindOf(document, edge) && ["processors", "funnels"].includes(item.kind);
      insert(item, [x - 120, y - 52], fits ? { edge } : {});
    },
    [toFlow],
  );
}
