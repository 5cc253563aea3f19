import { TriangleAlert } from "lucide-react";
import type { Partition } from "../../api/kafka";
import { bytes, count } from "../../document/format";
import { heldBy } from "./figures";

/** Each partition: who leads it, who has copies, what it holds. */
export function Partitions({ partitions }: { partitions: Partition[] }) {
  const most = Math.max(...partitions.map(heldBy), 1);
  return (
    <>
      <div className="table-frame" tabIndex={0} role="group" aria-label="Partitions">
        <table className="figures-table">
          <thead>
            <tr>
              <th scope="col">Partition</th><th scope="col">Leader</th><th scope="col">Copies on</th><th scope="col">In sync</th>
              <th scope="col">First</th><th scope="col">Next offset</th><th scope="col" className="wide">Records</th><th scope="col">Size</th>
            </tr>
          </thead>
          <tbody>
            {partitions.map((one) => <Row key={one.partition} partition={one} most={most} />)}
          </tbody>
        </table>
      </div>
      <p className="help">Records count from the first offset that is kept to the next one to be written. Keys that are much alike, or few, fill partitions unevenly.</p>
    </>
  );
}

function Row({ partition, most }: { partition: Partition; most: number }) {
  const missing = partition.replicas.length - partition.in_sync.length;
  const held = heldBy(partition);
  return (
    <tr data-testid={`partition-${partition.partition}`}>
      <th scope="row">{partition.partition}</th>
      <td>{partition.leader === null || partition.leader < 0 ? <span className="mark bad"><TriangleAlert size={13} aria-hidden /> none</span> : partition.leader}</td>
      <td>{partition.replicas.join(", ")}</td>
      <td>{partition.in_sync.join(", ")} {missing > 0 && <span className="mark warn"><TriangleAlert size={13} aria-hidden /> {missing} behind</span>}</td>
      <td>{partition.first}</td>
      <td>{partition.end}</td>
      <td>
        <span className="bar-cell">
          <span className="bar-track" aria-hidden><i style={{ width: `${(held / most) * 100}%` }} /></span>
          <span className="bar-number">{count(held)}</span>
        </span>
      </td>
      <td>{partition.size === null ? "" : bytes(partition.size)}</td>
    </tr>
  );
}
