import { X } from "lucide-react";
import { undo } from "../state/document-store";
import { useUi } from "../state/ui-store";
import { IconButton } from "./button";

export function Toasts() {
  const toasts = useUi((ui) => ui.toasts);
  const dismiss = useUi((ui) => ui.dismiss);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map((toast) => (
        <div key={toast.id} className={`toast ${toast.tone}`}>
          <span>{toast.text}</span>
          {toast.undo && (
            <button type="button" className="link" onClick={() => { undo(); dismiss(toast.id); }}>
              Undo
            </button>
          )}
          <IconButton icon={X} label="Dismiss" onClick={() => dismiss(toast.id)} />
        </div>
      ))}
    </div>
  );
}
