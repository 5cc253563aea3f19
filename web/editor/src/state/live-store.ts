/** Figures of the running flow, one stream per page. A tick changes only what it names. */

import { create } from "zustand";
import { address, Refused } from "../api/client";
import { flowsApi } from "../api/flows";
import type { FlowState } from "../api/flows";
import type { Bulletin, ConnectionStatus, ProcessorStatus, Status } from "../api/runner";
import { heard, refresh } from "./document-store";
import { useUi } from "./ui-store";

interface Live {
  flow: string;
  connected: boolean;
  state: FlowState;
  status: Omit<Status, "processors" | "connections"> | undefined;
  processors: Record<string, ProcessorStatus>;
  connections: Record<string, ConnectionStatus>;
  bulletins: Bulletin[];
  /** When the figures came, wall time in µs. */
  asOf: number;
  /** Queued FlowFiles of the whole flow, a point a tick, for the small chart. */
  trend: number[];
}

const nothing = { state: "stopped" as FlowState, status: undefined, processors: {}, connections: {}, bulletins: [], trend: [], asOf: 0 };

export const useLive = create<Live>()(() => ({ flow: "", connected: true, ...nothing }));
const { getState: state, setState } = useLive;

let source: EventSource | undefined;
let again: ReturnType<typeof setTimeout> | undefined;

/** Follow a flow; "" ends it. */
export function follow(flow: string): void {
  pause();
  setState({ flow, connected: true, ...nothing });
  if (flow) connect(flow);
}

function pause(): void {
  source?.close();
  source = undefined;
  clearTimeout(again);
}

/** Try at once, such as after a login. */
export function reconnect(): void {
  pause();
  if (state().flow) connect(state().flow);
}

const HIDDEN = 60_000; // ms in the background after which the stream is given up

/** A page in the background asks for nothing; it comes back to a new snapshot. */
export function pauseWhenHidden(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const change = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(pause, HIDDEN);
    else if (!source && state().flow) {
      setState({ connected: false });
      connect(state().flow);
    }
  };
  document.addEventListener("visibilitychange", change);
  return () => document.removeEventListener("visibilitychange", change);
}

/** A stream that was refused does not say why: ask for something that does. */
async function askWhy(flow: string): Promise<void> {
  try {
    await flowsApi.versions(flow);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}

function connect(flow: string): void {
  source = new EventSource(address(`api/v1/events?flow=${encodeURIComponent(flow)}`), { withCredentials: true });
  const on = <T>(name: string, handle: (data: T) => void) =>
    source?.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent<string>).data) as T));
  source.onopen = () => {
    if (!state().connected) void refresh();
    setState({ connected: true });
  };
  source.onerror = () => {
    setState({ connected: false });
    if (source?.readyState !== EventSource.CLOSED) return;
    void askWhy(flow);
    again = setTimeout(() => connect(flow), 3000);
  };
  on<Snapshot>("snapshot", snapshot);
  on<Delta>("status", delta);
  on<Bulletin>("bulletin", bulletin);
  on<{ seq: number; client: string }>("draft", (draft) => void heard(draft.seq, draft.client));
  on<{ id: string; state: FlowState }>("flow", (change) => change.id === flow && changed(change.state));
}

interface Snapshot {
  state?: FlowState;
  status?: Status | null;
}

function snapshot(data: Snapshot): void {
  const { processors = {}, connections = {}, ...status } = data.status ?? ({} as Status);
  const state = data.state ?? (data.status ? (data.status.state as FlowState) : "stopped");
  setState({ state, status: data.status ? status : undefined, processors, connections, asOf: Date.now() * 1000 });
}

interface Delta {
  status?: Partial<Status>;
  processors?: Record<string, Partial<ProcessorStatus>>;
  connections?: Record<string, Partial<ConnectionStatus>>;
}

/** Only the fields that changed come, so what is not named keeps its object. */
function delta(data: Delta): void {
  const now = state();
  const status = { ...now.status, ...data.status } as Status;
  setState({
    ...(data.status && { status, asOf: Date.now() * 1000 }),
    trend: [...now.trend, status.queued ?? 0].slice(-120),
    ...(data.processors && { processors: merged(now.processors, data.processors) }),
    ...(data.connections && { connections: merged(now.connections, data.connections) }),
  });
}

function merged<T>(old: Record<string, T>, changes: Record<string, Partial<T>>): Record<string, T> {
  const changed = Object.entries(changes).map(([id, fields]) => [id, { ...old[id], ...fields } as T] as const);
  return { ...old, ...Object.fromEntries(changed) };
}

function bulletin(one: Bulletin): void {
  const first = !state().bulletins.some((other) => other.id === one.id);
  if (first && one.level === "error") useUi.getState().toast(`${one.component || "flow"}: ${one.message}`, "bad");
  const kept = state().bulletins.filter((other) => other.id !== one.id);
  setState({ bulletins: [...kept, one].slice(-500) });
}

function changed(to: FlowState): void {
  setState(to === "stopped" || to === "failed" ? { ...nothing, bulletins: state().bulletins, state: to } : { state: to });
  void refresh();
}
