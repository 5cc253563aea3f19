import { ReactFlowProvider } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import { CircleAlert } from "lucide-react";
import { useEffect } from "react";
import { loadCatalogue } from "../../state/catalogue-store";
import { openFlow, useDocument } from "../../state/document-store";
import { follow, pauseWhenHidden } from "../../state/live-store";
import { reveal, useUi } from "../../state/ui-store";
import { Empty } from "../../ui/empty";
import { attempt } from "../../ui/report";
import { go } from "../../ui/router";
import { Canvas } from "../canvas/canvas";
import { CanvasMenu } from "../canvas/canvas-menu";
import { pasteText } from "../canvas/commands";
import { onKey } from "../canvas/keyboard";
import { Dock } from "../dock/dock";
import { prepareExpressions } from "../inspector/expression-input";
import { Inspector } from "../inspector/inspector";
import { Palette } from "../palette/palette";
import { Banners } from "./banners";
import { Dialogs } from "./dialogs";
import { Toolbar } from "./toolbar";

export function EditorPage({ flow, group, at = "" }: { flow: string; group: string; at?: string }) {
  useOpened(flow, group);
  useAsked(at);
  const palette = useUi((ui) => ui.palette);
  const failure = useDocument((state) => state.failure);
  const refusal = useUi((ui) => ui.refusal);
  if (failure) return <Broken flow={flow} message={failure} />;
  return (
    <ReactFlowProvider>
      <div className={`editor ${palette ? "" : "no-palette"}`}>
        <Toolbar flow={flow} />
        <Banners />
        {palette && <Palette />}
        <main className="canvas" aria-label="Flow">
          <Canvas />
          {refusal && <div className="refusal" role="alert">{refusal}</div>}
        </main>
        <Inspector />
        <Dock />
      </div>
      <CanvasMenu />
      <Dialogs />
    </ReactFlowProvider>
  );
}

/** The component that the address names is shown as soon as it is there. */
function useAsked(id: string): void {
  const ready = useDocument((state) => !!state.document);
  useEffect(() => {
    if (ready && id) reveal(id);
  }, [ready, id]);
}

/** Opens the flow of the address; the group in it goes both ways. */
function useOpened(flow: string, group: string): void {
  useEffect(() => {
    void openFlow(flow);
    void attempt(loadCatalogue());
    follow(flow);
    return () => follow("");
  }, [flow]);
  useEffect(() => {
    if (useUi.getState().group !== group) useUi.getState().enter(group);
  }, [flow, group]);
  useEffect(
    () =>
      useUi.subscribe((ui, old) => {
        if (ui.group !== old.group && location.href.includes("/flows/")) addressOf(flow, ui.group);
      }),
    [flow],
  );
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      if (event.target instanceof HTMLElement && /^(INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
      pasteText(event.clipboardData?.getData("text") ?? "");
    };
    window.addEventListener("keydown", onKey);
    window.addEventListener("paste", onPaste);
    const resume = pauseWhenHidden();
    const idle = setTimeout(() => void prepareExpressions(), 1500); // after the first paint
    return () => {
      resume();
      clearTimeout(idle);
      window.removeEventListener("keydown", onKey);
      window.removeEventListener("paste", onPaste);
    };
  }, []);
}

function addressOf(flow: string, group: string): void {
  const shown = new URLSearchParams(location.search).get("group") ?? "";
  if (shown !== group) go(`flows/${flow}${group ? `?group=${encodeURIComponent(group)}` : ""}`);
}

function Broken({ flow, message }: { flow: string; message: string }) {
  const problems = useDocument((state) => state.problems);
  return (
    <main className="page">
      <Empty icon={CircleAlert} title={`Flow ${flow} cannot be opened`}>{message}</Empty>
      <ul>{problems.map((one, index) => <li key={index}>{one.message}</li>)}</ul>
    </main>
  );
}
