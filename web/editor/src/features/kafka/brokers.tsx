import { Crown } from "lucide-react";
import type { Cluster } from "../../api/kafka";

/** Who the cluster is made of. */
export function Brokers({ cluster }: { cluster: Cluster }) {
  const racks = cluster.brokers.some((one) => one.rack);
  return (
    <main className="kafka-body single">
      <div className="table-frame" tabIndex={0} role="group" aria-label="Brokers">
        <table>
          <thead>
            <tr><th scope="col">Broker</th><th scope="col">Address</th>{racks && <th scope="col">Rack</th>}<th scope="col">Role</th></tr>
          </thead>
          <tbody>
            {cluster.brokers.map((one) => (
              <tr key={one.id}>
                <th scope="row">{one.id}</th>
                <td><code>{one.host}:{one.port}</code></td>
                {racks && <td>{one.rack ?? "none"}</td>}
                <td>{one.controller ? <span className="mark good"><Crown size={13} aria-hidden /> controller</span> : "broker"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {cluster.brokers.length === 1 && <p className="help">One broker keeps one copy of everything: fine to learn with, not to rely on. With three, each partition can have three copies.</p>}
    </main>
  );
}
