/**
 * The draft: what the server has confirmed, with what it has not heard of yet on top.
 * Every change is a list of operations with its inverse, so undo, saving and merging share them.
 */

import { create } from "zustand";
import { Refused } from "../api/client";
import { flowsApi } from "../api/flows";
import type { Conflict, Draft } from "../api/flows";
import { apply, applyLeniently, OperationRefused } from "../document/ops";
import { changedIds } from "../document/tree";
import type { FlowDocument, Operation, Problem } from "../document/types";
import { forgetUnsent, keepUnsent, unsentOf } from "./unsent";
import { useUi } from "./ui-store";

export type Saving = "saved" | "saving" | "offline" | "logged out" | "conflict";

interface Step {
  label: string;
  back: Operation[];
  key: string;
  time: number;
}

interface DocumentState {
  flow: string;
  document: FlowDocument | undefined;
  confirmed: FlowDocument | undefined;
  pending: Operation[];
  seq: number;
  ahead: boolean;
  fileChanged: boolean;
  problems: Problem[];
  relationships: NonNullable<Draft["relationships"]>;
  saving: Saving;
  conflicts: Conflict[];
  unsent: Operation[];
  failure: string;
  past: Step[];
  future: Step[];
}

export const client = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const empty: DocumentState = {
  flow: "", document: undefined, confirmed: undefined, pending: [], seq: 0, ahead: false, fileChanged: false,
  problems: [], relationships: {}, saving: "saved", conflicts: [], unsent: [], failure: "", past: [], future: [],
};

export const useDocument = create<DocumentState>()(() => empty);
const { getState: state, setState } = useDocument;

export async function openFlow(flow: string): Promise<void> {
  setState({ ...empty, flow });
  try {
    accept(await flowsApi.draft(flow));
    setState({ unsent: unsentOf(flow) });
  } catch (error) {
    if (error instanceof Refused) setState({ failure: error.message, problems: error.problems });
    else throw error;
  }
}

function accept(draft: Draft): void {
  const { pending } = state();
  setState({
    confirmed: draft.document,
    document: pending.length ? applyLeniently(draft.document, pending) : draft.document,
    seq: draft.seq,
    ahead: draft.ahead,
    fileChanged: draft.file_changed,
    problems: draft.problems,
    relationships: draft.relationships ?? {},
  });
}

/** Read the draft again, since somebody else or the file has changed it. */
export async function refresh(): Promise<void> {
  const { flow } = state();
  try {
    const draft = await flowsApi.draft(flow);
    if (state().flow === flow) accept(draft);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status) useUi.getState().toast(error.message, "bad");
  }
}

/** Do something that can be undone. `key`: repeated within a second it is one step. */
export function act(label: string, operations: Operation[], key = ""): boolean {
  const { document, past } = state();
  if (!document || !operations.length) return false;
  const applied = attempt(document, operations);
  if (!applied) return false;
  const last = past.at(-1);
  const now = Date.now();
  const joined = key && last?.key === key && now - last.time < 1000;
  const step = { label, back: joined ? [...applied.inverses, ...last.back] : applied.inverses, key, time: now };
  setState({ past: [...(joined ? past.slice(0, -1) : past), step].slice(-500), future: [] });
  queue(applied.document, operations);
  return true;
}

function attempt(document: FlowDocument, operations: Operation[]) {
  try {
    return apply(document, operations);
  } catch (error) {
    if (!(error instanceof OperationRefused)) throw error;
    useUi.getState().toast(error.message, "bad");
    return undefined;
  }
}

function queue(document: FlowDocument, operations: Operation[]): void {
  setState({ document, pending: [...state().pending, ...operations], ahead: true });
  keepUnsent(state().flow, state().pending);
  void flush();
}

export function undo(): void {
  step("past", "future");
}

export function redo(): void {
  step("future", "past");
}

function step(from: "past" | "future", to: "past" | "future"): void {
  const last = state()[from].at(-1);
  const { document } = state();
  if (!last || !document) return;
  const applied = attempt(document, last.back);
  setState({ [from]: state()[from].slice(0, -1) });
  if (!applied) return;
  setState({ [to]: [...state()[to], { ...last, back: applied.inverses, key: "" }] });
  queue(applied.document, last.back);
  useUi.getState().toast(`${from === "past" ? "Undid" : "Did again"}: ${last.label}`);
}

let sending = false;

/** Send what is pending: one request at a time, in order. */
export async function flush(): Promise<void> {
  if (sending || state().conflicts.length || !state().pending.length) return;
  sending = true;
  const { flow, seq, pending } = state();
  setState({ saving: "saving" });
  try {
    const saved = await flowsApi.operate(flow, client, seq, pending);
    if (state().flow !== flow) return;
    const rest = state().pending.slice(pending.length);
    const confirmed = saved.document ?? applyLeniently(state().confirmed as FlowDocument, [...(saved.merged ?? []), ...pending]);
    const document = rest.length || saved.merged?.length || saved.document ? applyLeniently(confirmed, rest) : state().document;
    setState({ confirmed, document, pending: rest, seq: saved.seq, problems: saved.problems, relationships: saved.relationships ?? state().relationships, saving: "saved", ahead: saved.ahead ?? true });
    keepUnsent(flow, rest);
  } catch (error) {
    await refused(error, pending);
  } finally {
    sending = false;
  }
  if (state().pending.length && state().saving === "saved") void flush();
}

async function refused(error: unknown, sent: Operation[]): Promise<void> {
  if (!(error instanceof Refused)) throw error;
  const conflicts = error.body["conflicts"] as Conflict[] | undefined;
  if (error.status === 409 && conflicts?.length) {
    setState({ saving: "conflict", conflicts });
  } else if (error.status === 401) {
    setState({ saving: "logged out" }); // flush() after the login
  } else if (error.status === 0 || error.status >= 500) {
    setState({ saving: "offline" });
    setTimeout(() => void flush(), 2000);
  } else {
    useUi.getState().toast(error.message, "bad");
    setState({ pending: state().pending.slice(sent.length), saving: "saved" });
    keepUnsent(state().flow, state().pending);
    await refresh();
  }
}

/** Answer a conflict: my operations over theirs, or without those that clash. */
export async function settle(choices: ("mine" | "theirs")[]): Promise<void> {
  const { conflicts, pending } = state();
  const dropped = conflicts.filter((_, index) => choices[index] === "theirs").map((one) => JSON.stringify(one.op));
  const kept = pending.filter((one) => !dropped.includes(JSON.stringify(one)));
  setState({ pending: kept.map(({ undo: _, ...one }) => one as Operation), conflicts: [], saving: "saved" });
  keepUnsent(state().flow, state().pending);
  await refresh();
  await flush();
}

/** Edits of an earlier visit that the server never got: take them up, or let them go. */
export function takeUnsent(take: boolean): void {
  const { unsent, document, flow } = state();
  setState({ unsent: [] });
  forgetUnsent(flow);
  if (!take || !document) return;
  const after = applyLeniently(document, unsent);
  queue(after, unsent);
}

/** Somebody's operations came by the stream: take them over, and say what they changed. */
export async function heard(seq: number, who: string): Promise<void> {
  if (who === client || seq <= state().seq || sending) return;
  const before = state().confirmed;
  await refresh();
  const after = state().confirmed;
  const ids = before && after ? changedIds(before, after) : [];
  if (ids.length) useUi.getState().touch(ids);
}
