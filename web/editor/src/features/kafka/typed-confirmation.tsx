import { Trash2 } from "lucide-react";
import { useState } from "react";
import type { ReactNode } from "react";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";

interface Props {
  title: string;
  name: string;
  /** Why it cannot be done now; "" when it can. */
  refusal?: string;
  children: ReactNode;
  onConfirm: () => Promise<void>;
  onClose: () => void;
}

/** Something that cannot be undone is done after its name was typed. */
export function TypedConfirmation({ title, name, refusal = "", children, onConfirm, onClose }: Props) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const sure = typed === name && !refusal && !busy;
  const confirm = async () => {
    if (!sure) return;
    setBusy(true);
    await onConfirm();
    setBusy(false);
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="danger" icon={Trash2} disabled={!sure} onClick={() => void confirm()}>Delete</Button>
        </>
      }
    >
      {children}
      {refusal && <p className="notice warn" role="alert">{refusal}</p>}
      <form className="field" onSubmit={(event) => { event.preventDefault(); void confirm(); }}>
        <label className="field-title" htmlFor="typed-name">Type {name} to confirm</label>
        <input id="typed-name" type="text" autoComplete="off" data-focus value={typed} onChange={(event) => setTyped(event.target.value)} />
      </form>
    </Dialog>
  );
}
