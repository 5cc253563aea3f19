import { CircleHelp, Eraser, OctagonX, Play, Square, StepForward } from "lucide-react";
import { address, mayOperate } from "../../api/client";
import type { Processor } from "../../document/types";
import { useLive } from "../../state/live-store";
import { IconButton } from "../../ui/button";
import { StateIcon } from "../../ui/state-icon";
import { command, confirmCommand } from "../canvas/running";

/** Name, state and commands of a processor. They act on what runs, not on the draft. */
export function NodeHead({ id, processor }: { id: string; processor: Processor }) {
  const live = useLive((state) => state.processors[id]);
  const running = live?.state === "running";
  return (
    <header className="inspector-head">
      <div className="head-line">
        {live && <StateIcon state={live.state} />}
        <h2>{processor.name || id.split("/").at(-1)}</h2>
        {live && mayOperate && (
          <span className="commands">
            <IconButton icon={Play} label="Start" disabled={running} onClick={() => void command("start", [id])} />
            <IconButton icon={Square} label="Stop" disabled={live.state === "stopped"} onClick={() => void command("stop", [id])} />
            <IconButton icon={StepForward} label="Run once" disabled={live.state !== "stopped"} onClick={() => void command("run-once", [id])} />
            <IconButton icon={OctagonX} label="Terminate …" disabled={live.state === "stopped"} onClick={() => confirmCommand("terminate", id)} />
            <IconButton icon={Eraser} label="Clear state …" disabled={live.state !== "stopped"} onClick={() => confirmCommand("clear-state", id)} />
          </span>
        )}
      </div>
      <p className="muted">
        {processor.type}{" "}
        <a href={address(`docs/processors/${processor.type}`)} target="_blank" rel="noreferrer" aria-label={`Reference page of ${processor.type}`} title="Reference page">
          <CircleHelp size={14} aria-hidden />
        </a>
        {processor.disabled && <span className="tag">disabled</span>}
      </p>
      {live?.bulletin && <p className={`notice ${live.bulletin.level === "error" ? "bad" : "warn"}`}>{live.bulletin.message}</p>}
    </header>
  );
}
