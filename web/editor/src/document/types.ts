/** The flow definition (format 1) as the server stores it: there is no second model. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Entry = { [key: string]: Json };
export type Position = [number, number];

export interface Retry {
  count?: number;
  backoff?: "penalize" | "yield";
  maximum?: string;
}

export interface Processor {
  type: string;
  name?: string;
  properties?: Entry;
  auto_terminate?: string[];
  retry?: Record<string, Retry>;
  scheduling?: Entry;
  disabled?: boolean;
  comments?: string;
}

export interface Connection {
  id?: string;
  name?: string;
  from: string;
  relationships?: string[];
  to: string;
  back_pressure?: { objects?: number; bytes?: string };
  expiration?: string;
  prioritizers?: string[];
}

export interface Port {
  name?: string;
  comments?: string;
}

export interface Label {
  text: string;
  width?: number;
  height?: number;
  colour?: string;
}

export interface Service {
  type: string;
  name?: string;
  properties?: Entry;
  comments?: string;
}

/** What flows and groups have in common. A group with `flow` is another flow file. */
export interface Body {
  name?: string;
  comments?: string;
  flow?: string;
  services?: Record<string, Service>;
  inputs?: Record<string, Port>;
  outputs?: Record<string, Port>;
  processors?: Record<string, Processor>;
  funnels?: Record<string, { comments?: string }>;
  groups?: Record<string, Body>;
  connections?: Connection[];
  labels?: Record<string, Label>;
  parameters?: Record<string, Json>;
}

export interface FlowDocument extends Body {
  format: 1;
  name: string;
  description?: string;
  layout?: Record<string, Position>;
}

export const DRAWN = ["processors", "inputs", "outputs", "funnels", "groups", "labels"] as const;
export type DrawnKind = (typeof DRAWN)[number];
export type Kind = DrawnKind | "services" | "parameters" | "connections";

export type Operation =
  | { op: "add"; kind: Kind; id: string; value: Json; position?: Position; index?: number; undo?: true }
  | { op: "remove"; kind: Kind; id: string; before?: Json; undo?: true }
  | {
      op: "set";
      kind: Kind | "flow";
      id: string;
      path: (string | number)[];
      value: Json;
      before: Json;
      index?: number;
      undo?: true;
    }
  | {
      op: "move";
      positions: Record<string, Position | null>;
      before?: Record<string, Position | null>;
      undo?: true;
    }
  | { op: "rename"; kind: Kind; id: string; to: string; undo?: true };

export interface Problem {
  component: string;
  property?: string;
  pointer?: string;
  message: string;
  remedy?: string;
  severity: "error" | "warning";
  line?: number;
  column?: number;
}
