import { useUi } from "../../state/ui-store";
import type { Confirmation } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";

export function ConfirmDialog({ asked }: { asked: Confirmation }) {
  const close = () => useUi.getState().show({ dialog: undefined });
  const sure = () => {
    close();
    asked.run();
  };
  return (
    <Dialog
      title={asked.title}
      onClose={close}
      footer={
        <>
          <Button onClick={close} data-focus>Cancel</Button>
          <Button tone="danger" onClick={sure}>{asked.verb}</Button>
        </>
      }
    >
      <p>{asked.text}</p>
    </Dialog>
  );
}
