import { CircleDashed } from "lucide-react";
import type { Member, Offset } from "../../api/kafka";
import { count } from "../../document/format";
import { Empty } from "../../ui/empty";
import { progress } from "./figures";

/** How far the group is in each partition: what it has read, and what waits. */
export function Lag({ offsets, members }: { offsets: Offset[]; members: Member[] }) {
  if (!offsets.length) return <Empty icon={CircleDashed} title="No offset yet">The group has committed nothing: its members are waiting for their first records.</Empty>;
  const names = new Map(members.map((one) => [one.id, one.client_id || one.id]));
  const sorted = [...offsets].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
  return (
    <div className="table-frame" tabIndex={0} role="group" aria-label="Lag by partition">
      <table className="figures-table">
        <thead>
          <tr>
            <th scope="col">Topic</th><th scope="col">Partition</th><th scope="col">Read by</th>
            <th scope="col">Committed</th><th scope="col">Next offset</th><th scope="col" className="wide">Read, and still to read</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((one) => <Row key={`${one.topic} ${one.partition}`} offset={one} reader={one.member ? (names.get(one.member) ?? one.member) : ""} />)}
        </tbody>
      </table>
    </div>
  );
}

function Row({ offset, reader }: { offset: Offset; reader: string }) {
  const { read, behind } = progress(offset);
  return (
    <tr data-testid={`lag-${offset.topic}-${offset.partition}`}>
      <th scope="row">{offset.topic}</th>
      <td>{offset.partition}</td>
      <td>{reader || <span className="muted">nobody</span>}</td>
      <td>{offset.committed ?? <span className="muted">nothing yet</span>}</td>
      <td>{offset.end ?? ""}</td>
      <td>
        <span className="bar-cell">
          <span className="bar-track" aria-hidden><i style={{ width: `${read}%` }} /><i className="behind" style={{ width: `${behind}%` }} /></span>
          <span className={`bar-number ${offset.lag ? "warn" : ""}`}>{offset.lag === null ? "partition is gone" : offset.lag ? `${count(offset.lag)} behind` : "up to date"}</span>
        </span>
      </td>
    </tr>
  );
}
