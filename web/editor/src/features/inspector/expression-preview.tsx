import { Eye } from "lucide-react";
import { useState } from "react";
import { runnerApi } from "../../api/runner";
import { inputsOf } from "../../document/completions";
import { substituted } from "../../document/parameters";
import type { Entry, Json } from "../../document/types";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useSample } from "../../state/sample-store";
import type { Sample } from "../../state/sample-store";

interface Shown {
  text: string;
  sample?: Sample;
  value?: Json;
  problem?: string;
}

/** What an expression gives for a FlowFile that waits before its processor. */
export function ExpressionPreview({ text, kind, owner }: { text: string; kind: "expression" | "predicate"; owner: string }) {
  const [shown, setShown] = useState<Shown>();
  const preview = async () => setShown(await evaluated(text, kind, owner));
  const fits = shown?.text === text ? shown : undefined;
  return (
    <div className="preview">
      <button type="button" className="link" onClick={() => void preview()}>
        <Eye size={13} aria-hidden /> Preview
      </button>
      <span aria-live="polite">
        {fits?.problem && <span className="muted">{fits.problem}</span>}
        {fits?.sample && !fits.problem && (
          <>
            <code data-testid="preview">{typeof fits.value === "string" ? fits.value : JSON.stringify(fits.value)}</code>{" "}
            <span className="muted">for {fits.sample.name} {fits.sample.from}</span>
          </>
        )}
      </span>
    </div>
  );
}

async function evaluated(text: string, kind: "expression" | "predicate", owner: string): Promise<Shown> {
  const parameters = (useDocument.getState().document?.parameters ?? {}) as Record<string, Entry>;
  const whole = substituted(text, parameters);
  if (!whole) return { text, problem: "A parameter in it has no value here." };
  const sample = (await waiting(owner)) ?? useSample.getState().sample;
  if (!sample) return { text, problem: "No FlowFile waits before this processor. Stop it while the flow runs, or take one as a sample in any queue." };
  const found = await runnerApi.check(whole.text, kind, sample.attributes).catch((error: Error) => ({ ok: false, error: error.message, value: null }));
  return found.ok ? { text, sample, value: found.value ?? "" } : { text, sample, problem: `${found.error} (for ${sample.name})` };
}

/** The first FlowFile in a queue that leads to a processor. */
async function waiting(owner: string): Promise<Sample | undefined> {
  const { document, flow } = useDocument.getState();
  const queues = useLive.getState().connections;
  for (const id of document ? inputsOf(document, owner) : []) {
    if (!queues[id]?.queued) continue;
    const found = await runnerApi.queue(flow, id, false, "").catch(() => undefined);
    const first = found?.flowfiles[0];
    if (first) return { attributes: first.attributes, name: first.attributes["filename"] ?? first.uuid, from: `in ${id}` };
  }
  return undefined;
}
