/** An editor of one expression: CodeMirror, loaded when the first such field is shown. */

import { autocompletion, completionKeymap, completionStatus } from "@codemirror/autocomplete";
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { linter } from "@codemirror/lint";
import type { Diagnostic } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, placeholder } from "@codemirror/view";
import type { Offer } from "../../document/completions";

export interface Wrong {
  from: number;
  to: number;
  message: string;
}

export interface CodeOptions {
  text: string;
  label: string;
  id: string;
  describedBy: string;
  placeholder: string;
  readOnly: boolean;
  offersAt: (before: string) => { from: number; offers: Offer[] } | undefined;
  check: (text: string) => Promise<Wrong | undefined>;
  onEdit: (text: string) => void;
  onFocus: () => void;
  onCommit: (text: string) => void;
}

export interface CodeField {
  text: () => string;
  setText: (text: string) => void;
  focus: () => void;
  destroy: () => void;
}

export function mount(place: HTMLElement, options: CodeOptions): CodeField {
  const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";
  const view = new EditorView({ parent: place, state: EditorState.create({ doc: options.text, extensions: [EditorView.cspNonce.of(nonce), ...extensions(options)] }) });
  return {
    text: () => view.state.doc.toString(),
    setText: (text) => {
      if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

function extensions(options: CodeOptions) {
  return [
    history(),
    drawSelection(),
    EditorView.lineWrapping,
    EditorState.readOnly.of(options.readOnly),
    EditorView.editable.of(!options.readOnly),
    EditorView.contentAttributes.of({ id: options.id, "aria-label": options.label, "aria-describedby": options.describedBy, spellcheck: "false" }),
    placeholder(options.placeholder),
    autocompletion({ override: [(context) => completions(context, options)], icons: false, activateOnTypingDelay: 50, interactionDelay: 20 }),
    linter((view) => diagnostics(view, options), { delay: 300 }),
    keymap.of([...completionKeymap, { key: "Enter", run: (view) => commit(view, options) }, { key: "Escape", run: (view) => leave(view, options) }, ...historyKeymap, ...withoutNewline]),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) options.onEdit(update.state.doc.toString());
    }),
    EditorView.domEventHandlers({
      focus: () => options.onFocus(),
      blur: (_, view) => options.onCommit(view.state.doc.toString()),
    }),
  ];
}

/** Enter takes the text; Shift+Enter is a new line. Tab leaves the field. */
const withoutNewline = defaultKeymap.filter((one) => one.key !== "Enter" && one.key !== "Mod-Enter");

function commit(view: EditorView, options: CodeOptions): boolean {
  if (completionStatus(view.state) === "active") return true; // a list that has only just come up takes nothing yet
  options.onCommit(view.state.doc.toString());
  return true;
}

/** Escape takes back what was not taken yet. */
function leave(view: EditorView, options: CodeOptions): boolean {
  if (completionStatus(view.state) === "active") return false;
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: options.text } });
  return true;
}

function completions(context: CompletionContext, options: CodeOptions): CompletionResult | null {
  const found = options.offersAt(context.state.sliceDoc(0, context.pos));
  if (!found?.offers.length) return null;
  if (!context.explicit && found.from === context.pos && !/[{#|.\s]$/.test(context.state.sliceDoc(0, context.pos))) return null;
  return { from: found.from, options: found.offers.map(completion), validFor: /^[\w.#{}-]*$/ };
}

function completion({ label, detail, info, apply, type }: Offer): Completion {
  return { label, detail, apply, type, ...(info && { info }) };
}

async function diagnostics(view: EditorView, options: CodeOptions): Promise<Diagnostic[]> {
  const wrong = await options.check(view.state.doc.toString());
  if (!wrong) return [];
  const length = view.state.doc.length;
  const from = Math.min(wrong.from, Math.max(length - 1, 0));
  return [{ from, to: Math.min(Math.max(wrong.to, from + 1), length), severity: "error", message: wrong.message }];
}
