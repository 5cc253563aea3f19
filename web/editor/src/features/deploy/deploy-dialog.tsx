import { Rocket } from "lucide-react";
import { useState } from "react";
import { flowsApi } from "../../api/flows";
import { Refused } from "../../api/client";
import { useDocument, refresh } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { attempt } from "../../ui/report";
import { useAnswer } from "../../ui/use-answer";
import { ChangeList } from "./change-list";

interface Choice {
  removed?: "drain" | "drop";
  overwrite?: boolean;
}

/** What will change, then deploy it. Queues that would vanish with FlowFiles need a choice. */
export function DeployDialog() {
  const { flow, seq, problems, saving } = useDocument();
  const running = useLive((live) => live.state === "running");
  const { show, toast } = useUi.getState();
  const [asked, setAsked] = useState<Refused>();
  const [busy, setBusy] = useState(false);
  const diff = useAnswer(() => flowsApi.diff(flow, "deployed", "draft"), `${flow} ${seq}`);
  const errors = problems.filter((one) => one.severity === "error").length;
  const close = () => show({ dialog: undefined });
  const deploy = async (choice: Choice = {}) => {
    setBusy(true);
    try {
      const { version } = await flowsApi.deploy(flow, seq, choice.removed, choice.overwrite);
      toast(`Deployed as version ${version}`, "good");
      close();
      await refresh();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.body["removed"] || error.body["file_changed"]) setAsked(error);
      else toast(error.message, "bad");
      await refresh();
    }
    setBusy(false);
  };
  return (
    <Dialog
      title="Deploy"
      size="medium"
      onClose={close}
      footer={
        <>
          <Button tone="quiet" onClick={() => { void attempt(flowsApi.discard(flow), "Draft discarded").then(refresh); close(); }}>
            Discard draft
          </Button>
          <span className="spacer" />
          <Button onClick={close}>Cancel</Button>
          <Button tone="primary" icon={Rocket} disabled={busy || errors > 0 || saving !== "saved"} onClick={() => void deploy()}>
            Deploy
          </Button>
        </>
      }
    >
      {errors > 0 && <p className="notice bad">{errors} problem{errors > 1 ? "s" : ""} must be solved before this can run: see Problems.</p>}
      {asked && <Question refused={asked} onChoose={(choice) => void deploy(choice)} />}
      <p className="muted">{running ? "The flow is running: only what changed is restarted, and queues are kept." : "The flow is stopped; it will run this version when it is started."}</p>
      {diff ? <ChangeList changes={diff.changes} /> : <p className="muted">Comparing …</p>}
    </Dialog>
  );
}

function Question({ refused, onChoose }: { refused: Refused; onChoose: (choice: Choice) => void }) {
  return (
    <div className="notice warn" role="alert">
      <p>{refused.message}</p>
      {refused.body["file_changed"] ? (
        <Button tone="danger" onClick={() => onChoose({ overwrite: true })}>Deploy over the file</Button>
      ) : (
        <>
          <Button onClick={() => onChoose({ removed: "drain" })}>Drain them first</Button>{" "}
          <Button tone="danger" onClick={() => onChoose({ removed: "drop" })}>Drop them</Button>
        </>
      )}
    </div>
  );
}
