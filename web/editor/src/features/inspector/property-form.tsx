import { useMemo } from "react";
import { useShallow } from "zustand/shallow";
import { mayEdit } from "../../api/client";
import { setValue } from "../../document/edits";
import { fieldOf } from "../../document/problems";
import { fieldsOf, isRelevant, titled } from "../../document/schema";
import type { Field } from "../../document/schema";
import type { Entry, Json } from "../../document/types";
import { useCatalogue } from "../../state/catalogue-store";
import { act, useDocument } from "../../state/document-store";
import { PropertyField } from "./property-field";
import { Verify } from "./verify";

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
  const isShown = (field: Field) => properties[field.name] !== undefined || of(field.name).length > 0 || isRelevant(field, fields, properties);
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
        {fields.filter((field) => isShown(field)).map((field) => (
          <PropertyField key={field.name} field={field} value={properties[field.name]} problems={of(field.name)} owner={id} properties={properties} idle={isRelevant(field, fields, properties) ? "" : idle(field)} onChange={(value) => change(field.name, value)} />
        ))}
      </fieldset>
      {schema && <Verify kind={kind} id={id} />}
    </form>
  );
}

/** What must be set for a property to count. */
function idle(field: Field): string {
  const wanted = Object.entries(field.depends).map(([name, values]) => `${titled(name)} ${values.map(String).join(" or ")}`);
  return `without ${wanted.join(" and ")}`;
}
