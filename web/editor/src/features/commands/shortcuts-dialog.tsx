import { useUi } from "../../state/ui-store";
import { Dialog } from "../../ui/dialog";
import { SHORTCUTS } from "../canvas/keyboard";

export function ShortcutsDialog() {
  const show = useUi((ui) => ui.show);
  return (
    <Dialog title="Keyboard" size="medium" onClose={() => show({ dialog: undefined })}>
      <dl className="shortcuts">
        {SHORTCUTS.map((one) => (
          <div key={one.keys}>
            <dt>
              <kbd>{one.keys}</kbd>
            </dt>
            <dd>{one.title}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">Tab goes from component to component. On a Mac, Ctrl is ⌘. No shortcut works while you type.</p>
    </Dialog>
  );
}
