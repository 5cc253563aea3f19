import { RefreshCw, ScrollText } from "lucide-react";
import { useState } from "react";
import { runnerApi } from "../../api/runner";
import type { LogLine } from "../../api/runner";
import { useDocument } from "../../state/document-store";
import { Button } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { useAnswer } from "../../ui/use-answer";

/** The last lines of the runner's log, newest first; also of a stopped flow. */
export function LogView() {
  const flow = useDocument((state) => state.flow);
  const [round, setRound] = useState(0);
  const [filter, setFilter] = useState("");
  const log = useAnswer(() => runnerApi.logs(flow, 500), `${flow} ${round}`);
  const lines = (log?.lines ?? []).map(shown).filter((line) => line.toLowerCase().includes(filter.toLowerCase())).reverse();
  return (
    <>
      <div className="bar">
        <input type="search" aria-label="Filter the log" placeholder="Filter" value={filter} onChange={(event) => setFilter(event.target.value)} />
        <Button icon={RefreshCw} onClick={() => setRound(round + 1)}>Refresh</Button>
      </div>
      {lines.length ? <pre className="log" tabIndex={0}>{lines.join("\n")}</pre> : <Empty icon={ScrollText} title="Nothing logged">The log of this flow fills when it runs.</Empty>}
    </>
  );
}

function shown(line: LogLine): string {
  if (typeof line === "string") return line;
  const { timestamp, level, event, component, exception, ...rest } = line;
  const more = Object.keys(rest).length ? ` ${JSON.stringify(rest)}` : "";
  return [timestamp, String(level ?? "").toUpperCase().padEnd(7), component && `[${String(component)}]`, event].filter(Boolean).join(" ") + more + (exception ? `\n${String(exception)}` : "");
}
