import { useCallback, useEffect, useState } from "react";
import { address } from "../../api/client";
import { flowsApi } from "../../api/flows";
import type { FlowSummary } from "../../api/flows";
import { attempt } from "../../ui/report";

/** All flows; their states come by the stream, the figures every five seconds. */
export function useFlows(): { flows: FlowSummary[] | undefined; reload: () => void } {
  const [flows, setFlows] = useState<FlowSummary[]>();
  const reload = useCallback(() => void attempt(flowsApi.list()).then((found) => found && setFlows(found.flows)), []);
  useEffect(() => {
    reload();
    const timer = setInterval(() => document.hidden || reload(), 5000);
    const source = new EventSource(address("api/v1/events"));
    source.addEventListener("flow", (event) => {
      const change = JSON.parse((event as MessageEvent<string>).data) as Partial<FlowSummary> & { id: string };
      setFlows((old) => {
        if (!old?.some((one) => one.id === change.id)) reload();
        return old?.map((one) => (one.id === change.id ? { ...one, ...change } : one)).filter((one) => (one.state as string) !== "removed");
      });
    });
    return () => {
      clearInterval(timer);
      source.close();
    };
  }, [reload]);
  return { flows, reload };
}
