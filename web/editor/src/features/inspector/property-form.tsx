import { useMemo } from "react";
import { useShallow } from "zustand/shallow";
import { runnerApi } from "../../api/runner";
import { mayEdit } from "../../api/client";
import { setValue } from "../../document/edits";
import { fieldOf } from "../../document/problems";
import { fieldsOf } from "../../document/schema";
import type { Entry, Json } from "../../document/types";
import { useCatalogue } from "../../state/catalogue-store";
import { act, useDocument } from "../../state/document-store";
import { Button } from "../../ui/button";
import { PropertyField } from "./property-field";
import { useState } from "react";
import { ListChecks } from "lucide-react";

interface Props {
  kind: "processors" | "services";
  id: string;
  type: string;
  properties: Entry;
}

/** The properties of a type, from its JSON Schema; what the type does not know stays and is shown. */
export function PropertyForm({ kind, id, type, properties }: Props) {
  const schema = useCatalogue((state) => (kind === "processors" ? state.processors : state.services)[type]?.schema);
  const fields = useMemo(() => fieldsOf(schema), [schema]);
  const problems = useDocument(useShallow((state) => state.problems.filter((one) => one.component === id)));
  const known = new Set(fields.map((field) => field.name));
  const of = (name: string) => problems.filter((one) => fieldOf(one) === name);
  const general = problems.filter((one) => ![...known].some((name) => of(name).includes(one)));
  const change = (name: string, value: Json) => {
    const { document } = useDocument.getState();
    if (document) act(`set ${name}`, [setValue(document, kind, id, ["properties", name], value)], `${id} ${name}`);
  };
  return (
    <form className="form" onSubmit={(event) => event.preventDefault()}>
      {general.map((one, index) => (
        <p key={index} className={`notice ${one.severity === "error" ? "bad" : "warn"}`}>
          {one.message}
          {one.remedy && <em> → {one.remedy}</em>}
        </p>
      ))}
      {!schema && <p className="notice warn">The type {type} is not installed here. It stays as it is; change it on the tab JSON.</p>}
      <fieldset disabled={!mayEdit} className="plain">
        {fields.map((field) => (
          <PropertyField key={field.name} field={field} value={properties[field.name]} problems={of(field.name)} owner={id} onChange={(value) => change(field.name, value)} />
        ))}
      </fieldset>
      {schema && <Verify kind={kind} id={id} />}
    </form>
  );
}

/** Try it against the real world, without deploying. */
function Verify({ kind, id }: { kind: Props["kind"]; id: string }) {
  const flow = useDocument((state) => state.flow);
  const [steps, setSteps] = useState<{ name: string; ok: boolean; message: string }[] | string>();
  const verify = async () => {
    setSteps("Verifying …");
    const target = kind === "services" ? { service: id } : { processor: id };
    const found = await runnerApi.verify(flow, target).catch((error: Error) => error.message);
    setSteps(typeof found === "string" ? found : found.steps);
  };
  return (
    <div className="verify">
      <Button icon={ListChecks} onClick={() => void verify()}>Verify</Button>
      {typeof steps === "string" && <p className="muted">{steps}</p>}
      {Array.isArray(steps) && (
        <ol aria-live="polite">
          {steps.map((step) => (
            <li key={step.name} className={step.ok ? "good" : "bad"}>
              <b>{step.ok ? "✓" : "✗"} {step.name}</b> {step.message}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
