/** Flows to begin with: small, whole, and without anything that must be installed first. */

import type { FlowDocument } from "./types";

export interface ExampleFlow {
  id: string;
  title: string;
  about: string;
  definition: FlowDocument;
}

const LOG = { type: "LogAttribute", auto_terminate: ["success"] };

const ROUTING: FlowDocument = {
  format: 1,
  name: "route-orders",
  description: "Made-up orders: the large ones go one way, the small ones another.",
  processors: {
    orders: {
      type: "GenerateRecords",
      properties: {
        schema: { order: "sequence", amount: { provider: "random_int", min: 1, max: 500 }, country: { provider: "choice", values: ["BE", "DE", "NL"] } },
        rate: "5/s",
        attributes: { amount: "amount", country: "country" },
      },
    },
    route: { type: "RouteOnAttribute", properties: { routes: { large: "amount|int > 250" } }, auto_terminate: ["failure"] },
    mark: { type: "UpdateAttribute", properties: { attributes: { filename: "{{ country | lower }}-{{ flowfile.uuid }}.json" } }, auto_terminate: ["failure"] },
    large: LOG,
    small: LOG,
  },
  connections: [
    { from: "orders", relationships: ["success"], to: "route" },
    { from: "route", relationships: ["large"], to: "mark" },
    { from: "mark", relationships: ["success"], to: "large" },
    { from: "route", relationships: ["unmatched"], to: "small" },
  ],
  layout: { orders: [0, 100], route: [360, 100], mark: [720, 0], large: [1080, 0], small: [720, 200] },
};

const WINDOWS: FlowDocument = {
  format: 1,
  name: "sensor-windows",
  description: "Made-up sensor readings, counted and averaged in windows of ten seconds each.",
  processors: {
    sensors: {
      type: "GenerateRecords",
      properties: {
        schema: {
          time: { provider: "now" },
          sensor: { provider: "choice", values: ["north", "south"] },
          speed: { provider: "random_int", min: 30, max: 130 },
        },
        rate: "10/s",
      },
    },
    "every-10-s": {
      type: "TumblingWindow",
      properties: { size: "10 sec", time: "ingest", key_fields: ["sensor"], folds: { cars: "count", mean_speed: { mean: "speed" } } },
      auto_terminate: ["late", "invalid"],
    },
    log: { type: "LogAttribute", properties: { log_payload: true }, auto_terminate: ["success"] },
  },
  connections: [
    { from: "sensors", relationships: ["success"], to: "every-10-s" },
    { from: "every-10-s", relationships: ["window"], to: "log" },
  ],
  layout: { sensors: [0, 0], "every-10-s": [360, 0], log: [720, 0] },
};

const THROTTLE: FlowDocument = {
  format: 1,
  name: "back-pressure",
  description: "A source that is quicker than what follows: see its queue fill, and the source wait.",
  processors: {
    source: { type: "GenerateRecords", properties: { schema: { n: "sequence" }, rate: "50/s" } },
    throttle: { type: "ControlRate", properties: { criteria: "flowfile count", maximum_rate: 5, time_duration: "1 sec" }, auto_terminate: ["failure"] },
    log: LOG,
  },
  connections: [
    { from: "source", relationships: ["success"], to: "throttle", back_pressure: { objects: 100 } },
    { from: "throttle", relationships: ["success"], to: "log" },
  ],
  layout: { source: [0, 0], throttle: [360, 0], log: [720, 0] },
};

export const EXAMPLES: ExampleFlow[] = [
  { id: "route-orders", title: "Route by attribute", about: "Generate, route, change attributes.", definition: ROUTING },
  { id: "sensor-windows", title: "Windows", about: "Count and average readings in windows of time.", definition: WINDOWS },
  { id: "back-pressure", title: "Back pressure", about: "A full queue makes its source wait.", definition: THROTTLE },
];
