/** Figures of the running flow, one stream per page. A tick changes only what it names. */

import { create } from "zustand";
import { address } from "../api/client";
import type { FlowState } from "../api/flows";
import type { Bulletin, ConnectionStatus, ProcessorStatus, Status } from "../api/runner";
import { heard, refresh } from "./document-store";

interface Live {
  flow: string;
  connected: boolean;
  state: FlowState;
  status: Omit<Status, "processors" | "connections"> | undefined;
  processors: Record<string, ProcessorStatus>;
  connections: Record<string, ConnectionStatus>;
  bulletins: Bulletin[];
  /** Queued FlowFiles of the whole flow, a point a tick, for the small chart. */
  trend: number[];
}

const nothing = { state: "stopped" as FlowState, status: undefined, processors: {}, connections: {}, bulletins: [], trend: [] };

export const useLive = create<Live>()(() => ({ flow: "", connected: true, ...nothing }));
const { getState: state, setState } = useLive;

let source: EventSource | undefined;
let again: ReturnType<typeof setTimeout> | undefined;

/** Follow a flow; "" ends it. */
export function follow(flow: string): void {
  source?.close();
  clearTimeout(again);
  setState({ flow, connected: true, ...nothing });
  if (flow) connect(flow);
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
    if (source?.readyState === EventSource.CLOSED) again = setTimeout(() => connect(flow), 3000);
  };
  on<Snapshot>("snapshot", snapshot);
  on<Delta>("status", delta);
  on<Bulletin>("bulletin", bulletin);
  on<{ seq: number; client: string }>("draft", (draft) => heard(draft.seq, draft.client));
  on<{ id: string; state: FlowState }>("flow", (change) => change.id === flow && changed(change.state));
}

interface Snapshot {
  state?: FlowState;
  status?: Status | null;
}

function snapshot(data: Snapshot): void {
  const { processors = {}, connections = {}, ...status } = data.status ?? ({} as Status);
  const state = data.state ?? (data.status ? (data.status.state as FlowState) : "stopped");
  setState({ state, status: data.status ? status : undefined, processors, connections });
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
    ...(data.status && { status }),
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
  const kept = state().bulletins.filter((other) => other.id !== one.id);
  setState({ bulletins: [...kept, one].slice(-500) });
}

function changed(to: FlowState): void {
  setState(to === "stopped" || to === "failed" ? { ...nothing, bulletins: state().bulletins, state: to } : { state: to });
  void refresh();
}
