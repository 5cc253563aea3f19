import { ChevronRight, Workflow } from "lucide-react";
import type { Cluster } from "../../api/kafka";
import { followLink, hrefOf } from "../../ui/router";
import { ThemeButton } from "../../ui/theme-button";
import { amount } from "./figures";

interface Props {
  flow: string;
  service: string;
  connections: string[];
  cluster?: Cluster | undefined;
  onChoose: (service: string) => void;
}

/** Where one is: all flows, this flow, the connection that is looked through. */
export function Header({ flow, service, connections, cluster, onChoose }: Props) {
  const canvas = `flows/${flow}`;
  return (
    <header className="toolbar">
      <a className="home" href={hrefOf("")} onClick={(event) => followLink(event, "")} aria-label="All flows" title="All flows">
        <Workflow size={18} aria-hidden />
      </a>
      <nav className="breadcrumb" aria-label="Place">
        <a className="link" href={hrefOf(canvas)} onClick={(event) => followLink(event, canvas)} title="Back to the canvas">{flow}</a>
        <ChevronRight size={14} aria-hidden />
        <h1>Kafka</h1>
      </nav>
      {service && (
        <label className="kafka-service">
          <span className="muted">through</span>
          <select value={service} onChange={(event) => onChoose(event.target.value)}>
            {[...new Set([service, ...connections])].map((id) => <option key={id}>{id}</option>)}
          </select>
        </label>
      )}
      <span className="spacer" />
      {cluster && <span className="muted kafka-cluster" data-testid="cluster">{amount(cluster.brokers.length, "broker")}{cluster.cluster_id && <> · cluster <code>{cluster.cluster_id}</code></>}</span>}
      <ThemeButton />
    </header>
  );
}
