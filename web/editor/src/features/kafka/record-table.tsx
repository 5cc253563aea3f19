import { ChevronDown, ChevronRight } from "lucide-react";
import { memo, useState } from "react";
import type { KafkaRecord } from "../../api/kafka";
import { bytes, clock } from "../../document/format";
import { RecordDetails } from "./record-details";
import { idOf, preview } from "./tail";

/** Records, the newest first; each opens. */
export function RecordTable({ records }: { records: KafkaRecord[] }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string) => setOpen((old) => (old.has(id) ? new Set([...old].filter((one) => one !== id)) : new Set([...old, id])));
  const newest = [...records].reverse();
  return (
    <div className="table-frame tail-frame" tabIndex={0} role="group" aria-label="Records">
      <table className="records">
        <thead>
          <tr><th scope="col">Time</th><th scope="col">Partition</th><th scope="col">Offset</th><th scope="col">Key</th><th scope="col">Value</th><th scope="col">Size</th></tr>
        </thead>
        <tbody>
          {newest.map((one) => <Row key={idOf(one)} record={one} open={open.has(idOf(one))} onToggle={toggle} />)}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  record: KafkaRecord;
  open: boolean;
  onToggle: (id: string) => void;
}

const Row = memo(function Row({ record, open, onToggle }: RowProps) {
  const id = idOf(record);
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <>
      <tr className={open ? "chosen" : ""} data-testid="record" onClick={() => onToggle(id)}>
        <td><time>{clock(record.timestamp)}</time></td>
        <td>{record.partition}</td>
        <td>
          <button type="button" className="link record-open" aria-expanded={open} aria-label={`Record ${record.offset} of partition ${record.partition}`} onClick={(event) => { event.stopPropagation(); onToggle(id); }}>
            <Icon size={13} aria-hidden />{record.offset}
          </button>
        </td>
        <td className="cut">{record.key_hex ? `0x${record.key_hex}` : (record.key ?? <span className="muted">none</span>)}</td>
        <td className="cut code">{record.value === null && !record.value_hex ? <span className="muted">tombstone</span> : preview(record)}</td>
        <td>{bytes(record.size)}</td>
      </tr>
      {open && <tr className="record-open-row"><td colSpan={6}><RecordDetails record={record} /></td></tr>}
    </>
  );
});
