import { Activity } from "lucide-react";
import { useState } from "react";
import { useShallow } from "zustand/shallow";
import { runnerApi } from "../../api/runner";
import type { Series } from "../../api/runner";
import { kindOf } from "../../document/tree";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { Empty } from "../../ui/empty";
import { usePolled } from "../../ui/use-polled";
import { Chart } from "./chart-view";
import { drawn, metricsOf } from "./figures";

const HOURS = [1, 6, 24];
const EVERY = 20_000; // ms: there is a new point each minute

/** Points a minute of the flow, or of what is selected, over the last day; and the flow's counters. */
export function StatusHistory() {
  const flow = useDocument((state) => state.flow);
  const target = useTarget();
  const [hours, setHours] = useState(HOURS[0] as number);
  const { value, error } = usePolled(() => runnerApi.history(flow, target.kind, target.id), `${flow} ${target.kind} ${target.id}`, EVERY);
  const { trend, counters } = useLive(useShallow((live) => ({ trend: live.trend, counters: live.status?.counters })));
  const named = Object.entries(counters ?? {});
  return (
    <div className="status-figures">
      <div className="bar">
        <b>{target.id || "Whole flow"}</b>
        <span className="muted">{target.id ? "" : "select a processor or connection to see its own"}</span>
        <span className="spacer" />
        <div role="group" aria-label="Time shown" className="bar">
          {HOURS.map((one) => <button key={one} type="button" className="button plain" aria-pressed={one === hours} onClick={() => setHours(one)}>{one} h</button>)}
        </div>
      </div>
      {error && <p className="notice bad" role="alert">{error.message}</p>}
      <div className="charts">
        {!target.id && trend.length > 1 && <Trend values={trend} />}
        {value && <Charts series={value} hours={hours} />}
      </div>
      {value && !value.points.length && trend.length < 2 && <Empty icon={Activity} title="No figures yet">A point is kept for each minute the flow runs, for a day. The first one comes at the end of this minute.</Empty>}
      {named.length > 0 && !target.id && (
        <table className="attributes" aria-label="Counters">
          <tbody>
            {named.map(([name, counted]) => <tr key={name}><th scope="row">{name}</th><td>{counted}</td></tr>)}
          </tbody>
        </table>
      )}
    </div>
  );
}

/** What is selected, where that has figures. */
function useTarget(): Pick<Series, "kind" | "id"> {
  const document = useDocument((state) => state.document);
  const [node, edge] = useUi(useShallow((ui) => [ui.nodes.size === 1 ? [...ui.nodes][0] : "", ui.edges.size === 1 ? [...ui.edges][0] : ""]));
  if (node && document && kindOf(document, node) === "processors") return { kind: "processors", id: node };
  return edge && !node ? { kind: "connections", id: edge } : { kind: "flow", id: "" };
}

function Charts({ series, hours }: { series: Series; hours: number }) {
  if (!series.points.length) return null;
  const to = Date.now() / 1000;
  const from = to - hours * 3600;
  return metricsOf(series).map((metric) => {
    const data = drawn(series, metric);
    return <Chart key={`${series.id} ${metric.title}`} title={metric.title} drawing={{ labels: metric.lines.map((line) => line.label), unit: metric.unit, data, from, to }} />;
  });
}

/** Queued FlowFiles second by second, since the page was opened. */
function Trend({ values }: { values: number[] }) {
  const to = Date.now() / 1000;
  const times = values.map((_, index) => to - (values.length - 1 - index));
  return <Chart title="Queued, the last two minutes" drawing={{ labels: ["queued"], unit: "count", data: [times, values], from: to - 120, to }} />;
}
