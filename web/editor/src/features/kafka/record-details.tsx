import type { KafkaRecord } from "../../api/kafka";
import { bytes, moment } from "../../document/format";
import { BytesView } from "../content/bytes-view";
import { bytesOf } from "./tail";

/** All of one record: where it is, its headers, its value in the form of one's choice. */
export function RecordDetails({ record }: { record: KafkaRecord }) {
  const { partition, offset, timestamp, timestamp_type, headers, size } = record;
  const kind = timestamp_type ? ` (${timestamp_type.replace(/_/g, " ").toLowerCase()})` : "";
  return (
    <div className="record-details">
      <p className="muted">partition {partition}, offset {offset} · {moment(timestamp)}{kind} · {bytes(size)}</p>
      {headers.length > 0 && (
        <table className="attributes" aria-label="Headers">
          <tbody>
            {headers.map(([name, value], index) => <tr key={index}><th scope="row">{name}</th><td>{value ?? <span className="muted">null</span>}</td></tr>)}
          </tbody>
        </table>
      )}
      {record.value_truncated && <p className="notice warn">The value is cut: its beginning is shown, of {bytes(size)}.</p>}
      {record.value === null && !record.value_hex ? <p className="muted">No value: a tombstone.</p> : <BytesView label="Value" data={bytesOf(record.value, record.value_hex)} />}
    </div>
  );
}
