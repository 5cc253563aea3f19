import { Eraser, OctagonX, Play, Square, StepForward } from "lucide-react";
import { mayOperate } from "../../api/client";
import { runnerApi } from "../../api/runner";
import type { ProcessorCommand } from "../../api/runner";
import type { Processor } from "../../document/types";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { IconButton } from "../../ui/button";
import { attempt } from "../../ui/report";
import { StateIcon } from "../../ui/state-icon";

/** Name, state and commands of a processor. They act on what runs, not on the draft. */
export function NodeHead({ id, processor }: { id: string; processor: Processor }) {
  const flow = useDocument((state) => state.flow);
  const live = useLive((state) => state.processors[id]);
  const running = live?.state === "running";
  const command = (name: ProcessorCommand) => void attempt(runnerApi.command(flow, id, name));
  return (
    <header className="inspector-head">
      <div className="head-line">
        {live && <StateIcon state={live.state} />}
        <h2>{processor.name || id.split("/").at(-1)}</h2>
        {live && mayOperate && (
          <span className="commands">
            <IconButton icon={Play} label="Start" disabled={running} onClick={() => command("start")} />
            <IconButton icon={Square} label="Stop" disabled={live.state === "stopped"} onClick={() => command("stop")} />
            <IconButton icon={StepForward} label="Run once" disabled={live.state !== "stopped"} onClick={() => command("run-once")} />
            <IconButton icon={OctagonX} label="Terminate" disabled={live.state === "stopped"} onClick={() => command("terminate")} />
            <IconButton icon={Eraser} label="Clear state" disabled={live.state !== "stopped"} onClick={() => command("clear-state")} />
          </span>
        )}
      </div>
      <p className="muted">{processor.type}</p>
      {live?.bulletin && <p className={`notice ${live.bulletin.level === "error" ? "bad" : "warn"}`}>{live.bulletin.message}</p>}
    </header>
  );
}
