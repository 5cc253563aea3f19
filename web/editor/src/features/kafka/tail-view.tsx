import { CircleAlert, Eraser, Flag, Pause, Play, Radio } from "lucide-react";
import { useState } from "react";
import type { KafkaApi } from "../../api/kafka";
import { bytes, count } from "../../document/format";
import { Button } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { RecordTable } from "./record-table";
import { NO_FILTERS, queryOf } from "./tail";
import type { Filters, Kept } from "./tail";
import { TailFilters } from "./tail-filters";
import { useTail } from "./use-tail";
import type { Tail } from "./use-tail";

const CAPS = [100, 500, 2000];

/** Read along with a topic. While it is paused the newest records are still kept, within the cap. */
export function TailView({ api, topic, partitions }: { api: KafkaApi; topic: string; partitions: number }) {
  const [asked, setAsked] = useState({ filters: NO_FILTERS, round: 0 });
  const [most, setMost] = useState(CAPS[1] as number);
  const [frozen, setFrozen] = useState<Kept>();
  const tail = useTail(`${api.tailAddress(topic, queryOf(asked.filters))}#${asked.round}`, most);
  const shown = frozen ?? tail.kept;
  const read = (filters: Filters) => {
    setFrozen(undefined);
    setAsked({ filters, round: asked.round + 1 });
  };
  return (
    <section className="tail" aria-label="Records">
      <TailFilters partitions={partitions} filters={asked.filters} onRead={read} />
      <div className="bar tail-bar">
        <TailState tail={tail} paused={!!frozen} />
        <span className="muted">
          {count(shown.records.length)} shown ({bytes(shown.bytes)})
          {shown.dropped > 0 && `, ${count(shown.dropped)} older ones let go`}
          {frozen && tail.kept.seen > frozen.seen && <b> · {count(tail.kept.seen - frozen.seen)} new</b>}
        </span>
        <span className="spacer" />
        <label className="kafka-service"><span className="muted">keep</span>
          <select value={most} onChange={(event) => setMost(Number(event.target.value))}>{CAPS.map((cap) => <option key={cap}>{cap}</option>)}</select>
        </label>
        <Button icon={frozen ? Play : Pause} aria-pressed={!!frozen} onClick={() => setFrozen(frozen ? undefined : tail.kept)}>{frozen ? "Go on" : "Pause"}</Button>
        <Button icon={Eraser} onClick={() => { tail.clear(); setFrozen(undefined); }}>Clear</Button>
      </div>
      {tail.note && tail.state !== "failed" && <p className="notice warn" role="status">{tail.note}</p>}
      {tail.state === "failed" && <p className="notice bad" role="alert"><CircleAlert size={14} aria-hidden /> {tail.note}</p>}
      {shown.records.length ? (
        <RecordTable records={shown.records} />
      ) : (
        <Empty icon={Radio} title={tail.state === "ended" ? "No record fits" : "Waiting for records"}>
          {asked.filters.from === "end" ? "New records appear here as they are written. Choose the beginning to read what is there already, or produce one by hand." : "Records that fit the filters appear here."}
        </Empty>
      )}
    </section>
  );
}

function TailState({ tail, paused }: { tail: Tail; paused: boolean }) {
  const [Icon, text, tone] = paused
    ? ([Pause, "paused", "warn"] as const)
    : tail.state === "reading"
      ? ([Radio, "reading along", "good"] as const)
      : tail.state === "ended"
        ? ([Flag, "read to the end", ""] as const)
        : ([CircleAlert, "failed", "bad"] as const);
  return <span className={`mark ${tone}`} data-testid="tail-state"><Icon size={13} aria-hidden /> {text}</span>;
}
