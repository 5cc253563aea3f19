import { CircleAlert, CircleCheck, ListChecks, LoaderCircle } from "lucide-react";
import { useState } from "react";
import { mayEdit } from "../../api/client";
import { runnerApi } from "../../api/runner";
import { flush, useDocument } from "../../state/document-store";
import { Button } from "../../ui/button";

interface Step {
  name: string;
  ok: boolean;
  message: string;
}

/** Try a service or processor against the real world, step by step, without deploying it. */
export function Verify({ kind, id }: { kind: "processors" | "services"; id: string }) {
  const flow = useDocument((state) => state.flow);
  const [steps, setSteps] = useState<Step[]>();
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    setBusy(true);
    setSteps(undefined);
    setFailure("");
    await flush(); // what is verified is the draft as the server has it
    const target = kind === "services" ? { service: id } : { processor: id };
    await runnerApi.verify(flow, target).then(
      (found) => setSteps(found.steps),
      (error: Error) => setFailure(error.message),
    );
    setBusy(false);
  };
  return (
    <div className="verify">
      <div className="bar">
        <Button icon={busy ? LoaderCircle : ListChecks} disabled={busy || !mayEdit} onClick={() => void verify()}>{busy ? "Verifying …" : "Verify"}</Button>
        <span className="muted">tries it without deploying</span>
      </div>
      {failure && <p className="notice bad" role="alert">{failure}</p>}
      <ol aria-live="polite">
        {steps?.map((step, index) => <StepRow key={index} step={step} />)}
        {steps?.length === 0 && <li className="muted">There is nothing to try: it talks to nobody.</li>}
      </ol>
    </div>
  );
}

function StepRow({ step }: { step: Step }) {
  const Icon = step.ok ? CircleCheck : CircleAlert;
  return (
    <li className={step.ok ? "good" : "bad"}>
      <Icon size={15} role="img" aria-label={step.ok ? "done" : "failed"} aria-hidden={false} />
      <span><b>{step.name}</b> <span className={step.ok ? "muted" : ""}>{step.message}</span></span>
    </li>
  );
}
