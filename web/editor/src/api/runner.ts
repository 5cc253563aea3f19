/** What a running flow tells, and what one may ask of it. Times in µs, sizes in bytes. */

import type { Json, Problem } from "../document/types";
import type { WindowStatus } from "../document/windows";
import { address, at, get, post } from "./client";

export interface Totals {
  flowfiles_in: number;
  bytes_in: number;
  flowfiles_out: number;
  bytes_out: number;
  tasks: number;
  nanoseconds: number;
}

export interface Bulletin {
  id: number;
  time: number;
  component: string;
  level: "debug" | "info" | "warning" | "error";
  message: string;
  count: number;
}

/** Fields at their defaults are left out by the server. */
export interface ProcessorStatus {
  id: string;
  state: string;
  active?: number;
  yielding?: number;
  queued?: number;
  penalized?: number;
  blocked?: boolean;
  failures?: number;
  recent?: Totals;
  total?: Totals;
  reported?: Record<string, Json>;
  bulletin?: Bulletin | null;
  windows?: WindowStatus | null;
}

export interface ConnectionStatus {
  id: string;
  queued?: number;
  bytes?: number;
  in_flight?: number;
  penalized?: number;
  percent?: number;
  full?: boolean;
}

export interface Status {
  state: string;
  uptime?: number;
  queued?: number;
  problem?: string | null;
  faults?: Record<string, string>;
  service_problems?: Record<string, string>;
  sources_wait?: string | null;
  counters?: Record<string, number>;
  processors: Record<string, ProcessorStatus>;
  connections: Record<string, ConnectionStatus>;
}

export interface QueuedFlowFile {
  place: number;
  uuid: string;
  size: number;
  age: number;
  entry_time: number;
  attributes: Record<string, string>;
  penalty_until?: number;
  attempts?: number;
}

export interface Listing {
  queued: number;
  flowfiles: QueuedFlowFile[];
  complete: boolean;
}

/** Points a minute of one component; minutes in which the flow did not run are left out. */
export interface Series {
  kind: "flow" | "processors" | "connections";
  id: string;
  fields: string[];
  /** µs at which the minute began, then a value for each field. */
  points: number[][];
}

export type LogLine = string | Record<string, Json>;

export type ProcessorCommand = "start" | "stop" | "run-once" | "terminate" | "clear-state";

export const runnerApi = {
  group: (flow: string, group: string, command: "start" | "stop") => post(at`/flows/${flow}/groups/${group}/${command}`),
  command: (flow: string, processor: string, command: ProcessorCommand) =>
    post(at`/flows/${flow}/processors/${processor}/${command}`),
  queue: (flow: string, connection: string, newest: boolean, filter: string) =>
    get<Listing>(at`/flows/${flow}/connections/${connection}/flowfiles` + `?limit=100&newest=${newest}` + filterQuery(filter)),
  empty: (flow: string, connection: string) => post<{ dropped: number }>(at`/flows/${flow}/connections/${connection}/empty`),
  contentAddress: (flow: string, connection: string, uuid: string) =>
    address(at`/flows/${flow}/connections/${connection}/flowfiles/${uuid}/content`),
  bulletins: (flow: string) => get<{ bulletins: Bulletin[] }>(at`/flows/${flow}/bulletins`),
  logs: (flow: string, lines: number) => get<{ lines: LogLine[] }>(at`/flows/${flow}/logs` + `?lines=${lines}`),
  history: (flow: string, kind: Series["kind"], id: string) => get<Series>(at`/flows/${flow}/history` + `?kind=${kind}&component=${encodeURIComponent(id)}`),
  state: (flow: string, processor: string) => get<Json>(at`/flows/${flow}/state/${processor}`),
  verify: (flow: string, target: { service?: string; processor?: string }) =>
    post<{ steps: { name: string; ok: boolean; message: string }[] }>(at`/verify`, { flow, ...target }),
  topics: (flow: string, service: string) => get<{ topics: { name: string; internal: boolean }[] }>(at`/kafka/${flow}/${service}/topics`),
  check: (text: string, kind: "expression" | "predicate", attributes?: Record<string, string>) =>
    post<{ ok: boolean; error?: string; offset?: number; value?: Json; problems?: Problem[] }>(at`/expressions/check`, { text, kind, ...(attributes && { attributes }) }),
};

function filterQuery(filter: string): string {
  return filter.includes("=") ? `&filter=${encodeURIComponent(filter)}` : "";
}

/** The first bytes of a content; the whole may be large. */
export async function contentStart(where: string, most: number): Promise<Uint8Array> {
  const response = await fetch(where, { headers: { Range: `bytes=0-${most - 1}` }, credentials: "same-origin" });
  if (!response.ok && response.status !== 206) throw new Error(`content is not to be had (${response.status}): it may have gone on`);
  return new Uint8Array(await response.arrayBuffer());
}
