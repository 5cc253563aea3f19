/** Starting and stopping what runs: a node, a selection, a group, the flow. It acts on what is deployed. */

import { mayOperate, Refused } from "../../api/client";
import { flowsApi } from "../../api/flows";
import { runnerApi } from "../../api/runner";
import type { ProcessorCommand } from "../../api/runner";
import { setValue } from "../../document/edits";
import { bodyOf, find, kindOf } from "../../document/tree";
import type { FlowDocument, Processor } from "../../document/types";
import { act, useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { attempt } from "../../ui/report";

const ui = useUi.getState;

export async function startFlow(once = false): Promise<void> {
  const { flow } = useDocument.getState();
  const answer = await attempt<unknown>(once ? flowsApi.runOnce(flow) : flowsApi.start(flow));
  const { state, reason } = (answer ?? {}) as { state?: string; reason?: string };
  if (state === "failed") ui().toast(`It did not start: ${reason}`, "bad");
}

/** With `drain` queues may empty themselves first. */
export const stopFlow = (drain = true): void => void attempt(flowsApi.stop(useDocument.getState().flow, drain));

/** Running processors among these components, those inside groups included. */
export function runningIn(ids: Iterable<string>): string[] {
  const known = Object.keys(useLive.getState().processors);
  return [...ids].flatMap((id) => known.filter((name) => name === id || name.startsWith(`${id}/`)));
}

/** Why nothing of this can be commanded now; empty when it can. */
export function unableToRun(): string {
  if (!mayOperate) return "your role may look only";
  return useLive.getState().state === "running" ? "" : "the flow is not running";
}

const DONE: Record<ProcessorCommand, string> = {
  start: "Started", stop: "Stopped", "run-once": "Ran once", terminate: "Terminated", "clear-state": "Cleared the state of",
};

/** One command for each processor; what is refused says why, once for all. */
export async function command(name: ProcessorCommand, ids: Iterable<string>): Promise<void> {
  const { flow } = useDocument.getState();
  const targets = runningIn(ids);
  const unable = unableToRun() || (targets.length ? "" : "it is not deployed yet");
  if (unable) return ui().toast(`Cannot ${name.replace("-", " ")}: ${unable}`, "bad");
  const answers = await Promise.allSettled(targets.map((id) => runnerApi.command(flow, id, name)));
  const refused = answers.filter((one) => one.status === "rejected").map((one) => one.reason as unknown);
  for (const reason of refused) if (!(reason instanceof Refused)) throw reason;
  const done = targets.length - refused.length;
  if (refused.length) ui().toast((refused[0] as Refused).message, "bad");
  else ui().toast(`${DONE[name]} ${done === 1 ? targets[0] : `${done} processors`}`, "good");
}

/** By key: what is selected, else the whole flow. */
export function commandSelected(name: "start" | "stop" | "run-once"): void {
  const { nodes } = ui();
  if (nodes.size) void command(name, nodes);
  else if (!mayOperate) ui().toast("your role may look only", "bad");
  else if (name === "stop") stopFlow();
  else void startFlow(name === "run-once");
}

/** Ask first: what a processor has under way is rolled back, or what it remembers is gone. */
export function confirmCommand(name: "terminate" | "clear-state", id: string): void {
  const texts = {
    terminate: ["Terminate", "What it has under way is rolled back and stays in its queue."],
    "clear-state": ["Clear state", "It forgets positions, windows and counts that it keeps, and begins anew."],
  } as const;
  const [verb, text] = texts[name];
  ui().show({ dialog: { kind: "confirm", title: `${verb} of ${id}?`.replace("Terminate of", "Terminate"), text, verb, run: () => void command(name, [id]) } });
}

function processorsIn(document: FlowDocument, ids: Iterable<string>): [string, Processor][] {
  return [...ids].flatMap((id): [string, Processor][] => {
    const own = find(document, "processors", id) as unknown as Processor | undefined;
    if (own && kindOf(document, id) === "processors") return [[id, own]];
    const body = bodyOf(document, id);
    if (!body || !id) return [];
    return processorsIn(document, [...Object.keys(body.processors ?? {}), ...Object.keys(body.groups ?? {})].map((slug) => `${id}/${slug}`));
  });
}

/** Disabled processors stay out when the flow starts: an edit of the draft. */
export function setDisabled(ids: Iterable<string>, disabled: boolean): void {
  const { document } = useDocument.getState();
  if (!document) return;
  const found = processorsIn(document, ids).filter(([, one]) => !!one.disabled !== disabled);
  act(disabled ? "disable" : "enable", found.map(([id]) => setValue(document, "processors", id, ["disabled"], disabled || null)));
}

export function isDisabled(document: FlowDocument, ids: Iterable<string>): boolean {
  const found = processorsIn(document, ids);
  return found.length > 0 && found.every(([, one]) => one.disabled);
}
