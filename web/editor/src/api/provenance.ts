/** What happened to FlowFiles. Times in µs, sizes in bytes; fields at their defaults are left out. */

import { at, get, post } from "./client";

export interface ProvenanceEvent {
  id: number;
  time: number;
  type: string;
  processor: string;
  flowfile: string;
  relationship?: string;
  /** The queue it was polled from. */
  connection?: string;
  /** As they were before the event, or as created. */
  attributes?: Record<string, string>;
  size?: number;
  event_time?: number;
  ingest_time?: number;
  parents?: string[];
}

/** One event in full. */
export interface EventDetails extends ProvenanceEvent {
  /** base64; left out where it was too large to be kept. */
  content?: string;
  /** Why it cannot be replayed; null when it can. */
  refusal: string | null;
}

export interface Search {
  flowfile: string;
  processor: string;
  type: string;
  /** name=value */
  attribute: string;
  /** Minutes back from now; "" is everything that is kept. */
  minutes: string;
}

export const EVENT_TYPES = [
  "CREATE", "RECEIVE", "SEND", "FETCH", "CONTENT_MODIFIED", "ATTRIBUTES_MODIFIED", "ROUTE", "FORK", "JOIN", "CLONE", "DROP", "EXPIRE", "REPLAY",
] as const;

export const ANYTHING: Search = { flowfile: "", processor: "", type: "", attribute: "", minutes: "" };

/** The query of a search; `now` in ms. */
export function queryOf({ minutes, ...fields }: Search, now: number, cursor?: number): string {
  const asked: Record<string, string> = { ...fields, limit: "100" };
  if (minutes) asked["since"] = String((now - Number(minutes) * 60_000) * 1000);
  if (cursor !== undefined) asked["cursor"] = String(cursor);
  if (!fields.attribute.includes("=")) delete asked["attribute"];
  return `?${new URLSearchParams(Object.entries(asked).filter(([, value]) => value.trim()))}`;
}

export const provenanceApi = {
  search: (flow: string, search: Search, cursor?: number) =>
    get<{ events: ProvenanceEvent[]; next: number | null }>(at`/flows/${flow}/provenance` + queryOf(search, Date.now(), cursor)),
  lineage: (flow: string, uuid: string) => get<{ events: ProvenanceEvent[]; edges: [string, string][] }>(at`/flows/${flow}/provenance/${uuid}/lineage`),
  event: (flow: string, id: number) => get<EventDetails>(at`/flows/${flow}/provenance/${id}`),
  replay: (flow: string, id: number) => post<{ flowfile: string }>(at`/flows/${flow}/provenance/${id}/replay`),
};
