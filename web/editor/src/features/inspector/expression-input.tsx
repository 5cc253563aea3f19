import { useEffect, useRef, useState } from "react";
import { runnerApi } from "../../api/runner";
import { mayEdit } from "../../api/client";
import { attributesOf, offersAt } from "../../document/completions";
import { substituted } from "../../document/parameters";
import type { Entry } from "../../document/types";
import { useCatalogue } from "../../state/catalogue-store";
import { useDocument } from "../../state/document-store";
import type { CodeField, CodeOptions, Wrong } from "./code-field";
import { ExpressionPreview } from "./expression-preview";
import type { WidgetProps } from "./widgets";

type Kind = "expression" | "predicate";
type Loaded = typeof import("./code-field");

let loaded: Loaded | undefined;

/** Loads the editor before it is needed. */
export async function prepareExpressions(): Promise<void> {
  loaded ??= await import("./code-field");
}

const HINTS: Record<Kind, string> = { predicate: "size|int > 100", expression: "text with {{ attribute }}" };

/** A property that is an expression or predicate. */
export function ExpressionInput({ id, field, value, kind, owner, describedBy, invalid, offered, onAsk, onChange }: WidgetProps & { kind: Kind; offered: string[] }) {
  const none = field.default === undefined || field.default === null || field.default === "";
  return (
    <CodeInput
      id={id}
      label={field.title}
      kind={kind}
      owner={owner}
      text={value === undefined ? "" : String(value)}
      placeholder={none ? HINTS[kind] : `${String(field.default)} (default)`}
      describedBy={describedBy}
      invalid={invalid}
      offered={offered}
      onFocus={onAsk ?? (() => undefined)}
      onText={(text) => onChange(text || null)}
    />
  );
}

interface CodeProps {
  id: string;
  label: string;
  kind: Kind;
  owner: string;
  text: string;
  placeholder: string;
  describedBy: string;
  invalid: boolean;
  offered?: string[];
  onFocus?: () => void;
  onText: (text: string) => void;
}

/** Completes while one writes, underlines what is wrong, and shows what comes out. */
export function CodeInput(props: CodeProps) {
  const { text, kind, owner, invalid } = props;
  const place = useRef<HTMLDivElement>(null);
  const code = useRef<CodeField>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const [edited, setEdited] = useState(text);
  const [wrong, setWrong] = useState<Wrong>();
  useEffect(() => {
    let gone = false;
    const show = (module: Loaded) => {
      if (!gone && place.current) code.current = module.mount(place.current, optionsFor(latest, setEdited, setWrong));
    };
    if (loaded) show(loaded);
    else void prepareExpressions().then(() => loaded && show(loaded));
    return () => {
      gone = true;
      code.current?.destroy();
      code.current = undefined;
    };
  }, [props.id]);
  useEffect(() => {
    code.current?.setText(text);
    setEdited(text);
  }, [text]);
  return (
    <>
      <div ref={place} className={`code-field ${invalid || wrong ? "wrong" : ""}`} onKeyDown={(event) => event.stopPropagation()} />
      {wrong && <p className="field-error">{wrong.message}</p>}
      {!wrong && edited && (kind === "predicate" || edited.includes("{{")) && <ExpressionPreview text={edited} kind={kind} owner={owner} />}
    </>
  );
}

/** The editor lives longer than one rendering, so it asks for what is right now. */
function optionsFor(latest: { current: CodeProps }, onEdit: (text: string) => void, onWrong: (wrong: Wrong | undefined) => void): CodeOptions {
  const { id, label, describedBy, placeholder, kind } = latest.current;
  return {
    id,
    label,
    describedBy,
    placeholder,
    text: latest.current.text,
    readOnly: !mayEdit,
    offersAt: (before) => offersAt(before, kind, names(latest.current.offered ?? [])),
    check: async (text) => {
      const wrong = await check(text, kind);
      onWrong(wrong);
      return wrong;
    },
    onEdit,
    onFocus: () => latest.current.onFocus?.(),
    onCommit: (text) => {
      if (text !== latest.current.text) latest.current.onText(text);
    },
  };
}

function names(texts: string[]) {
  const { document } = useDocument.getState();
  const { processors, expressions } = useCatalogue.getState();
  const attributes = document ? attributesOf(document, (type) => processors[type]?.writes ?? {}) : new Map<string, string>();
  return { attributes, parameters: Object.keys(document?.parameters ?? {}), vocabulary: expressions, texts };
}

async function check(text: string, kind: Kind): Promise<Wrong | undefined> {
  const parameters = (useDocument.getState().document?.parameters ?? {}) as Record<string, Entry>;
  const whole = text && substituted(text, parameters);
  if (!whole) return undefined;
  const found = await runnerApi.check(whole.text, kind).catch(() => undefined);
  if (!found || found.ok) return undefined;
  const from = whole.back(found.offset ?? 0);
  const word = /^\w+/.exec(text.slice(from))?.[0].length ?? 1;
  return { from, to: from + word, message: found.error ?? "it cannot be read" };
}
