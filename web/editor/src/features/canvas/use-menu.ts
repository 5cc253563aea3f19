import type { Edge, Node } from "@xyflow/react";
import { useMemo } from "react";
import { useUi } from "../../state/ui-store";
import type { OpenMenu } from "../../state/ui-store";

type Place = { x: number; y: number };
type At = { clientX: number; clientY: number; preventDefault: () => void };

/** Right click, and the long press of a finger, which browsers report as one. */
export function useMenu(toFlow: (at: Place) => Place) {
  return useMemo(() => {
    const open = (event: At, kind: OpenMenu["kind"], id: string) => {
      event.preventDefault();
      const { x, y } = toFlow({ x: event.clientX, y: event.clientY });
      useUi.getState().show({ menu: { x: event.clientX, y: event.clientY, kind, id, at: [x, y] } });
    };
    return {
      onNodeContextMenu: (event: At, node: Node) => {
        const { nodes, select } = useUi.getState();
        if (!nodes.has(node.id)) select([node.id]);
        open(event, "node", node.id);
      },
      onEdgeContextMenu: (event: At, edge: Edge) => {
        useUi.getState().select([], [edge.id]);
        open(event, "edge", edge.id);
      },
      onPaneContextMenu: (event: At) => open(event, "canvas", ""),
      onSelectionContextMenu: (event: At, nodes: Node[]) => nodes[0] && open(event, "node", nodes[0].id),
    };
  }, [toFlow]);
}
