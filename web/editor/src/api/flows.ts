/** Flows, drafts, deploys and versions. */

import type { Vocabulary } from "../document/completions";
import type { Schema } from "../document/schema";
import type { FlowDocument, Json, Operation, Problem } from "../document/types";
import { ask, at, get, post, remove } from "./client";

export type FlowState = "stopped" | "starting" | "running" | "stopping" | "failed" | "completed";

export interface FlowSummary {
  id: string;
  name: string;
  description: string;
  state: FlowState;
  reason?: string;
  deployed_version?: number | null;
  draft_ahead: boolean;
  file_ahead: boolean;
  errors: number | null;
  queued: number | null;
  bulletins: number;
}

export interface Draft {
  document: FlowDocument;
  seq: number;
  deployed_revision: string | null;
  ahead: boolean;
  problems: Problem[];
  /** Relationships of each processor as it is configured, where they are known. */
  relationships?: Record<string, string[] | RelationshipFacts[]>;
  file_changed: boolean;
}

export interface Saved {
  seq: number;
  document?: FlowDocument;
  problems: Problem[];
  relationships?: Draft["relationships"];
  merged?: Operation[];
  ahead?: boolean;
}

export interface Conflict {
  op: Operation;
  theirs: Json;
  mine: Json;
}

export interface Change {
  kind: "added" | "removed" | "changed";
  type?: string;
  component: string;
  property?: string;
  before?: Json;
  after?: Json;
}

export interface Version {
  number: number;
  revision: string;
  user: string;
  /** µs */
  time: number;
  restored: number | null;
}

export interface RelationshipFacts {
  name: string;
  description: string;
  failure: boolean;
}

export interface TypeDescription {
  type: string;
  description: string;
  tags: string[];
  input: "required" | "forbidden" | "allowed";
  relationships: RelationshipFacts[];
  schema: Schema;
  writes: Record<string, string>;
  reads: Record<string, string>;
  nifi: Json;
  source: boolean;
  examples: Json[];
}

export interface Catalogue {
  processors: TypeDescription[];
  services: TypeDescription[];
  expressions: Vocabulary;
}

/** What the server knows of a parameter; never the value of a secret. */
export interface ParameterFacts {
  name: string;
  sensitive: boolean;
  source: string | null;
  set: boolean;
  referenced_by: string[];
}

export const flowsApi = {
  parameters: (id: string) => get<{ parameters: ParameterFacts[] }>(at`/flows/${id}/parameters`),
  catalogue: () => get<Catalogue>(at`/catalogue`),
  putSecret: (name: string, value: string) => ask<void>("PUT", at`/secrets/${name}`, { value }),
  list: () => get<{ flows: FlowSummary[] }>(at`/flows`),
  read: (id: string) => get<{ definition: FlowDocument; text: string; revision: string }>(at`/flows/${id}`),
  create: (id: string, text?: string) => post(at`/flows`, text === undefined ? { id } : { id, text }),
  remove: (id: string) => remove(at`/flows/${id}`),
  draft: (id: string) => get<Draft>(at`/flows/${id}/draft`),
  operate: (id: string, client: string, base: number, operations: Operation[]) =>
    post<Saved>(at`/flows/${id}/draft/operations`, { client, base, operations }),
  discard: (id: string) => remove(at`/flows/${id}/draft`),
  diff: (id: string, from: string | number, to: string | number) =>
    get<{ changes: Change[] }>(at`/flows/${id}/diff?from=${from}&to=${to}`),
  deploy: (id: string, seq: number, removed?: "drain" | "drop", overwrite = false) =>
    post<{ version: number; revision: string }>(at`/flows/${id}/deploy`, { ...(removed && { removed }), ...(overwrite && { overwrite }) }, { "If-Match": `"${seq}"` }),
  versions: (id: string) => get<{ versions: Version[] }>(at`/flows/${id}/versions`),
  restore: (id: string, version: number) => post(at`/flows/${id}/versions/${version}/restore`),
  start: (id: string) => post<{ state: FlowState; reason: string }>(at`/flows/${id}/start`),
  stop: (id: string, drain: boolean) => post(at`/flows/${id}/stop`, { drain }),
  runOnce: (id: string) => post(at`/flows/${id}/run-once`),
};
