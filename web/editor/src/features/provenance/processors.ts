import { bodies, joined } from "../../document/tree";
import type { FlowDocument } from "../../document/types";

/** Ids of all processors that stand in a document. */
export function processorsOf(document: FlowDocument): string[] {
  return [...bodies(document)].flatMap(([group, body]) => Object.keys(body.processors ?? {}).map((slug) => joined(group, slug)));
}
