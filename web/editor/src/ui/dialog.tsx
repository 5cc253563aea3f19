import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import type { ReactNode } from "react";
import { IconButton } from "./button";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
  size?: "small" | "medium" | "large" | "wide" | "top";
}

/** The browser's own modal dialog: it keeps the focus, and Escape closes it. `data-focus` is first. */
export function Dialog({ title, onClose, children, footer, size = "small" }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) dialog.showModal();
    const wanted = ["[data-focus]", ".dialog-body input", ".dialog-foot .primary"];
    wanted.map((one) => dialog?.querySelector<HTMLElement>(one)).find(Boolean)?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={`dialog ${size}`}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()}
      onMouseDown={(event) => event.target === ref.current && onClose()}
    >
      <header className="dialog-head">
        <h2>{title}</h2>
        <IconButton icon={X} label="Close" onClick={onClose} />
      </header>
      <div className="dialog-body">{children}</div>
      {footer && <footer className="dialog-foot">{footer}</footer>}
    </dialog>
  );
}
