import { useCallback } from "react";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import type { OpenMenu } from "../../state/ui-store";
import { Menu } from "../../ui/menu";
import { entriesOf } from "./menus";

export function CanvasMenu() {
  const menu = useUi((ui) => ui.menu);
  const close = useCallback(() => useUi.getState().show({ menu: undefined }), []);
  return menu ? <Opened menu={menu} onClose={close} /> : null;
}

function Opened({ menu, onClose }: { menu: OpenMenu; onClose: () => void }) {
  useLive((live) => live.state);
  useLive((live) => live.processors); // what can be done changes while it is open
  const label = menu.kind === "canvas" ? "Canvas" : menu.id;
  return <Menu label={label} x={menu.x} y={menu.y} entries={entriesOf(menu)} onClose={onClose} />;
}
