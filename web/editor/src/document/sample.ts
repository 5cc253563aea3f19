/** A small flow for tests. */

import type { FlowDocument } from "./types";

export function sample(): FlowDocument {
  return {
    format: 1,
    name: "sample",
    parameters: { topic: { value: "users" } },
    services: { kafka: { type: "KafkaConnection" } },
    processors: {
      read: { type: "ReadDataLake", properties: { path: "lake", attributes: { name: "name" } } },
      throttle: { type: "ControlRate", properties: { maximum_rate: 1 }, auto_terminate: ["failure"] },
      publish: { type: "PublishKafka", properties: { connection: "kafka", topic: "#{topic}" }, auto_terminate: ["success"] },
    },
    groups: {
      inner: {
        inputs: { in: {} },
        outputs: { out: {} },
        processors: { log: { type: "LogAttribute" } },
        connections: [
          { from: "in", to: "log" },
          { from: "log", relationships: ["success"], to: "out" },
        ],
      },
    },
    connections: [
      { from: "read", relationships: ["success"], to: "throttle" },
      { from: "throttle", relationships: ["success"], to: "inner/in" },
      { from: "inner/out", to: "publish" },
    ],
    layout: { read: [0, 0], throttle: [360, 0], inner: [720, 0], publish: [1080, 0], "inner/log": [300, 0] },
  };
}
