import { useId, useRef, useState } from "react";
import { runnerApi } from "../../api/runner";
import { bodies } from "../../document/tree";
import type { FlowDocument, Json } from "../../document/types";
import { useCatalogue } from "../../state/catalogue-store";
import type { TypeDescription } from "../../api/flows";
import { useDocument } from "../../state/document-store";
import type { WidgetProps } from "./widgets";

interface Checked {
  text: string;
  error: string;
  offset: number;
}

/** An expression: attributes and parameters are offered, and it is checked while one writes. */
export function ExpressionInput({ id, field, value, kind, invalid, describedBy, onChange }: WidgetProps & { kind: "expression" | "predicate" }) {
  const list = useId();
  const text = value === undefined ? "" : String(value);
  const [edited, setEdited] = useState<string>();
  const [checked, setChecked] = useState<Checked>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const document = useDocument((state) => state.document);
  const types = useCatalogue((state) => state.processors);
  const now = edited ?? text;
  const check = (wanted: string) => {
    setEdited(wanted);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      if (!wanted || wanted.includes("#{")) return setChecked(undefined);
      void runnerApi.check(wanted, kind).then(
        (found) => setChecked(found.ok ? undefined : { text: wanted, error: found.error ?? "", offset: found.offset ?? 0 }),
        () => setChecked(undefined),
      );
    }, 300);
  };
  const commit = () => {
    if (edited !== undefined && edited !== text) onChange(edited || null);
    setEdited(undefined);
  };
  const wrong = checked && checked.text === now ? checked : undefined;
  return (
    <>
      <input
        type="text" id={id} className="code" list={list} spellCheck={false} value={now}
        aria-invalid={invalid || !!wrong} aria-describedby={describedBy}
        placeholder={field.default === undefined || field.default === null ? (kind === "predicate" ? "size > 100" : "text with {{ attribute }}") : `${String(field.default)} (default)`}
        onChange={(event) => check(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") commit();
          event.stopPropagation();
        }}
      />
      <datalist id={list}>
        {document && offers(now, kind, document, types).map((offer) => <option key={offer} value={offer} />)}
      </datalist>
      {wrong && (
        <p className="field-error">
          <code>{wrong.text.slice(0, wrong.offset)}<u>{wrong.text.slice(wrong.offset, wrong.offset + 12) || " "}</u></code> {wrong.error}
        </p>
      )}
    </>
  );
}

/** Attributes that processors of this flow write, in the place of what is being written. */
function offers(text: string, kind: "expression" | "predicate", document: FlowDocument, types: Record<string, TypeDescription>): string[] {
  const open = kind === "predicate" ? 0 : text.lastIndexOf("{{") + 2;
  if (kind === "expression" && (open < 2 || text.indexOf("}}", open) >= 0)) return [];
  const close = kind === "predicate" ? "" : " }}";
  const before = kind === "predicate" ? text.replace(/[\w.]*$/, "") : `${text.slice(0, open)} `;
  return [...attributesOf(document, types)].map((name) => `${before}${name}${close}`);
}

function attributesOf(document: FlowDocument, types: Record<string, TypeDescription>): Set<string> {
  const names = new Set(["filename", "uuid"]);
  for (const [, body] of bodies(document))
    for (const processor of Object.values(body.processors ?? {})) {
      for (const name of Object.keys(types[processor.type]?.writes ?? {})) if (!/[*<{ ]/.test(name)) names.add(name);
      for (const name of Object.keys((processor.properties?.["attributes"] ?? {}) as Record<string, Json>)) names.add(name);
    }
  return names;
}
