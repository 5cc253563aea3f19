import { bodies, joined } from "../../document/tree";
import type { FlowDocument } from "../../document/types";

/** Ids of the KafkaConnections of a flow, those in its groups too. */
export function connectionsOf(document: FlowDocument): string[] {
  return [...bodies(document)].flatMap(([group, body]) =>
    Object.entries(body.services ?? {}).filter(([, one]) => one.type === "KafkaConnection").map(([slug]) => joined(group, slug)),
  );
}
