import { Eraser, RefreshCw } from "lucide-react";
import { useState } from "react";
import { mayOperate } from "../../api/client";
import { runnerApi } from "../../api/runner";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { attempt } from "../../ui/report";
import { useAnswer } from "../../ui/use-answer";
import { JsonTree } from "../queue/json-tree";
import { confirmCommand } from "../canvas/running";

/** What a processor remembers over restarts. */
export function StateDialog({ processor }: { processor: string }) {
  const flow = useDocument((state) => state.flow);
  const stopped = useLive((live) => live.processors[processor]?.state === "stopped");
  const [round, setRound] = useState(0);
  const state = useAnswer(() => attempt(runnerApi.state(flow, processor)), `${flow} ${processor} ${round}`);
  return (
    <Dialog
      title={`State of ${processor}`}
      size="medium"
      onClose={() => useUi.getState().show({ dialog: undefined })}
      footer={
        <>
          {mayOperate && <Button icon={Eraser} disabled={!stopped} title={stopped ? "" : "stop the processor first"} onClick={() => confirmCommand("clear-state", processor)}>Clear state …</Button>}
          <Button icon={RefreshCw} onClick={() => setRound(round + 1)}>Refresh</Button>
        </>
      }
    >
      {state === undefined ? <p className="muted">Reading …</p> : <JsonTree value={state} />}
    </Dialog>
  );
}
