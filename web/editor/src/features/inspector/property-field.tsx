import { RotateCcw } from "lucide-react";
import { useEffect, useId, useRef } from "react";
import type { Field } from "../../document/schema";
import type { Entry, Json, Problem } from "../../document/types";
import { useUi } from "../../state/ui-store";
import { IconButton } from "../../ui/button";
import { Prose } from "../../ui/prose";
import { prepareExpressions } from "./expression-input";
import { Widget } from "./widgets";

interface Props {
  field: Field;
  value: Json | undefined;
  problems: Problem[];
  owner: string;
  properties: Entry;
  /** Why it does not count with the others as they are. */
  idle: string;
  onChange: (value: Json) => void;
}

/** One property: its name, help, value or default, and what is wrong with it. */
export function PropertyField({ field, value, problems, owner, properties, idle, onChange }: Props) {
  const id = useId();
  const row = useRef<HTMLDivElement>(null);
  const wanted = useUi((ui) => ui.focusField === field.name);
  useEffect(() => {
    if (!wanted) return;
    row.current?.scrollIntoView({ block: "center" });
    const focus = () => row.current?.querySelector<HTMLElement>("input, select, textarea, [contenteditable], .entries button")?.focus();
    void prepareExpressions().then(focus); // an expression's field is there once its editor is
    useUi.getState().show({ focusField: "" });
  }, [wanted]);
  const bad = problems.some((one) => one.severity === "error");
  return (
    <div ref={row} className={`field ${bad ? "invalid" : ""}`} data-testid={`field-${field.name}`}>
      <div className="field-title">
        <label htmlFor={id} onClick={() => document.getElementById(id)?.focus()}>{field.title}</label>
        {field.required && <span className="required" title="required">required</span>}
        {value !== undefined && !field.required && <IconButton icon={RotateCcw} label={`Default for ${field.title}`} onClick={() => onChange(null)} />}
      </div>
      <Widget id={id} field={field} value={value} owner={owner} properties={properties} invalid={bad} describedBy={`${id}-help`} onChange={onChange} />
      <div id={`${id}-help`}>
        {idle && <p className="field-warning">It does not count {idle}.</p>}
        {problems.map((problem, index) => (
          <p key={index} className={problem.severity === "error" ? "field-error" : "field-warning"}>
            {problem.message.replace(/^.*?: (?=property|'|must)/, "")}
            {problem.remedy && <em> → {problem.remedy}</em>}
          </p>
        ))}
        {field.description && (
          <p className="help">
            <Prose text={field.description} />
          </p>
        )}
        {field.examples.length > 0 && <p className="help">e.g. <code>{field.examples[0]}</code></p>}
      </div>
    </div>
  );
}
