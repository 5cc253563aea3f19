import { useState } from "react";
import { runnerApi } from "../../api/runner";
import type { Field } from "../../document/schema";
import { serviceIdOf } from "../../document/tree";
import type { Json } from "../../document/types";
import { useDocument } from "../../state/document-store";

/** Topics of the cluster that a property is about; asked for when one comes to the field. */
export function useTopics(owner: string, field: Field, properties: Record<string, Json>): { topics: string[]; ask: () => void } {
  const [topics, setTopics] = useState<string[]>([]);
  const connection = field.topics && properties[field.topics];
  const ask = () => {
    const { document, flow } = useDocument.getState();
    const service = document && typeof connection === "string" ? serviceIdOf(document, owner, connection) : "";
    if (service && !topics.length)
      void runnerApi.topics(flow, service).then(
        (found) => setTopics(found.topics.map((one) => one.name)),
        () => undefined, // an unreachable cluster offers nothing; Verify says why
      );
  };
  return { topics, ask };
}
