import { Activity } from "lucide-react";
import { useEffect, useRef } from "react";
import { useShallow } from "zustand/shallow";
import { useLive } from "../../state/live-store";
import { useUi } from "../../state/ui-store";
import { Empty } from "../../ui/empty";

/** Queued FlowFiles since this page was opened, and the flow's counters. */
export function StatusHistory() {
  const { trend, counters } = useLive(useShallow((live) => ({ trend: live.trend, counters: live.status?.counters })));
  if (trend.length < 2) return <Empty icon={Activity} title="No figures yet">They are drawn while the flow runs.</Empty>;
  return (
    <div className="figures">
      <Chart values={trend} />
      {Object.keys(counters ?? {}).length > 0 && (
        <table className="attributes">
          <tbody>
            {Object.entries(counters ?? {}).map(([name, value]) => (
              <tr key={name}><th scope="row">{name}</th><td>{value}</td></tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function Chart({ values }: { values: number[] }) {
  const frame = useRef<HTMLDivElement>(null);
  const theme = useUi((ui) => ui.theme);
  useEffect(() => {
    const place = frame.current;
    if (!place) return;
    let chart: { destroy: () => void } | undefined;
    let gone = false;
    void import("./chart").then(({ draw }) => {
      if (!gone) chart = draw(place, values);
    });
    return () => {
      gone = true;
      chart?.destroy();
    };
  }, [values, theme]);
  return <div ref={frame} className="chart" role="img" aria-label={`queued FlowFiles: ${values.at(-1)} now, at most ${Math.max(...values)}`} />;
}
