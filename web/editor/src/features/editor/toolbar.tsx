import { Cable, ChevronRight, Command, LayoutGrid, PanelLeftOpen, Play, Radar, Redo2, Rocket, Square, StepForward, Undo2, Variable, Workflow } from "lucide-react";
import { mayEdit, mayOperate } from "../../api/client";
import { redo, undo, useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { Button, IconButton } from "../../ui/button";
import { followLink, go, hrefOf } from "../../ui/router";
import { StateIcon } from "../../ui/state-icon";
import { ThemeButton } from "../../ui/theme-button";
import { arrange } from "../canvas/commands";
import { startFlow, stopFlow } from "../canvas/running";

export function Toolbar({ flow }: { flow: string }) {
  const show = useUi((ui) => ui.show);
  const palette = useUi((ui) => ui.palette);
  const past = useDocument((state) => state.past.at(-1)?.label);
  const future = useDocument((state) => state.future.at(-1)?.label);
  const problems = useDocument((state) => state.problems.filter((one) => one.severity === "error").length);
  const ahead = useDocument((state) => state.ahead);
  return (
    <header className="toolbar">
      <a className="home" href={hrefOf("")} onClick={(event) => followLink(event, "")} aria-label="All flows" title="All flows">
        <Workflow size={18} aria-hidden />
      </a>
      {!palette && <IconButton icon={PanelLeftOpen} label="Show palette" onClick={() => show({ palette: true })} />}
      <Breadcrumb flow={flow} />
      <RunState />
      <span className="spacer" />
      <Saving />
      {mayEdit && (
        <>
          <IconButton icon={Undo2} label={past ? `Undo ${past}` : "Undo"} shortcut="Ctrl+Z" disabled={!past} onClick={undo} />
          <IconButton icon={Redo2} label={future ? `Do again ${future}` : "Do again"} shortcut="Ctrl+Shift+Z" disabled={!future} onClick={redo} />
          <IconButton icon={LayoutGrid} label="Lay out" shortcut="L" onClick={() => void arrange()} />
        </>
      )}
      <Button tone="quiet" className="named" icon={Cable} title="Services" onClick={() => show({ dialog: { kind: "services" } })}><span>Services</span></Button>
      <Button tone="quiet" className="named" icon={Variable} title="Parameters" onClick={() => show({ dialog: { kind: "parameters" } })}><span>Parameters</span></Button>
      <IconButton icon={Radar} label="Kafka: topics, groups, records" shortcut="K" onClick={() => go(`flows/${flow}/kafka`)} />
      <IconButton icon={Command} label="Search and commands" shortcut="Ctrl+K" onClick={() => show({ dialog: { kind: "commands" } })} />
      <ThemeButton />
      <RunButtons />
      {mayEdit && (
        <Button tone={ahead ? "primary" : "plain"} icon={Rocket} disabled={!ahead} title={problems ? `${problems} problems to solve first` : "Make this draft the running definition"} onClick={() => show({ dialog: { kind: "deploy" } })}>
          Deploy
        </Button>
      )}
    </header>
  );
}

function Breadcrumb({ flow }: { flow: string }) {
  const group = useUi((ui) => ui.group);
  const enter = useUi((ui) => ui.enter);
  const parts = group ? group.split("/") : [];
  return (
    <nav className="breadcrumb" aria-label="Groups">
      <button type="button" className="link" aria-current={!group || undefined} onClick={() => enter("")}>{flow}</button>
      {parts.map((slug, index) => (
        <span key={index}>
          <ChevronRight size={14} aria-hidden />
          <button type="button" className="link" aria-current={index === parts.length - 1 || undefined} onClick={() => enter(parts.slice(0, index + 1).join("/"))}>{slug}</button>
        </span>
      ))}
    </nav>
  );
}

function RunState() {
  const state = useLive((live) => live.state);
  const queued = useLive((live) => live.status?.queued);
  return (
    <span className={`run-state state-${state}`} data-testid="flow-state">
      <StateIcon state={state} /> {state}
      {queued !== undefined && <em>{queued} queued</em>}
    </span>
  );
}

const TEXTS = { saved: "Draft saved", saving: "Saving …", offline: "Not saved", "logged out": "Not saved", conflict: "Conflict" };

function Saving() {
  const saving = useDocument((state) => state.saving);
  const ahead = useDocument((state) => state.ahead);
  const open = useDocument((state) => !!state.document);
  const text = !open ? "Opening …" : saving === "saved" && !ahead ? "Deployed" : TEXTS[saving];
  return <span className={`saving ${saving}`} data-testid="saving">{text}</span>;
}

function RunButtons() {
  const state = useLive((live) => live.state);
  if (!mayOperate) return null;
  if (state === "stopping") return <Button icon={Square} title="Queues keep what is in them" onClick={() => stopFlow(false)}>Stop now</Button>;
  if (state === "running") return <Button icon={Square} title="Sources stop first, queues empty themselves" onClick={() => stopFlow()}>Stop</Button>;
  const busy = state === "starting";
  return (
    <>
      <Button icon={Play} disabled={busy} onClick={() => void startFlow()}>Start</Button>
      <IconButton icon={StepForward} label="Run once: until nothing is left to do" disabled={busy} onClick={() => void startFlow(true)} />
    </>
  );
}
