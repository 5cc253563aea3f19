import { CircleAlert, LoaderCircle } from "lucide-react";
import { useMemo } from "react";
import { flowsApi } from "../../api/flows";
import { kafkaApi } from "../../api/kafka";
import type { KafkaApi } from "../../api/kafka";
import { Empty } from "../../ui/empty";
import { Prose } from "../../ui/prose";
import { attempt } from "../../ui/report";
import { go } from "../../ui/router";
import { Tabs } from "../../ui/tabs";
import { useAnswer } from "../../ui/use-answer";
import { usePolled } from "../../ui/use-polled";
import { Brokers } from "./brokers";
import { Groups } from "./groups";
import { Header } from "./header";
import "./kafka.css";
import { NoConnection } from "./no-connection";
import { addressOf, placeOf } from "./place";
import type { Place } from "./place";
import { connectionsOf } from "./services";
import { Topics } from "./topics";

/** What every part of the lens needs to know. */
export interface Lens {
  flow: string;
  api: KafkaApi;
  place: Place;
  /** Look at something else; it is a step of the browser's history. */
  to: (place: Partial<Place>) => void;
}

/** Kafka as this flow's connections see it. */
export function KafkaPage({ flow, query }: { flow: string; query: string }) {
  const draft = useAnswer(() => attempt(flowsApi.draft(flow)), flow);
  const connections = draft ? connectionsOf(draft.document) : [];
  const asked = placeOf(query);
  const service = asked.service || connections[0] || "";
  return (
    <div className="kafka-page">
      {!draft ? (
        <Header flow={flow} service="" connections={[]} onChoose={() => undefined} />
      ) : service ? (
        <Cluster key={service} flow={flow} place={{ ...asked, service }} connections={connections} />
      ) : (
        <>
          <Header flow={flow} service="" connections={[]} onChoose={() => undefined} />
          <NoConnection flow={flow} />
        </>
      )}
    </div>
  );
}

const TABS = [{ id: "topics", title: "Topics" }, { id: "groups", title: "Consumer groups" }, { id: "brokers", title: "Brokers" }] as const;

function Cluster({ flow, place, connections }: { flow: string; place: Place; connections: string[] }) {
  const api = useMemo(() => kafkaApi(flow, place.service), [flow, place.service]);
  const cluster = usePolled(api.cluster, `${flow} ${place.service}`, 5000);
  const to = (change: Partial<Place>) => go(addressOf(flow, { ...place, ...change }));
  const lens: Lens = { flow, api, place, to };
  const reached = cluster.value && !cluster.error;
  return (
    <>
      <Header flow={flow} service={place.service} connections={connections} cluster={reached ? cluster.value : undefined} onChoose={(service) => to({ service, topic: "", group: "" })} />
      {cluster.error && <Unreachable message={cluster.error.message} known={!!cluster.value} />}
      {cluster.value ? (
        <>
          <nav className="kafka-tabs">
            <Tabs label="Kafka" tabs={TABS} chosen={place.shown} onChoose={(shown) => to({ shown })} />
          </nav>
          {place.shown === "topics" && <Topics lens={lens} brokers={cluster.value.brokers.length} />}
          {place.shown === "groups" && <Groups lens={lens} />}
          {place.shown === "brokers" && <Brokers cluster={cluster.value} />}
        </>
      ) : (
        !cluster.error && <Empty icon={LoaderCircle} title="Asking the cluster …" />
      )}
    </>
  );
}

function Unreachable({ message, known }: { message: string; known: boolean }) {
  return known ? (
    <p className="banner warn" role="alert"><CircleAlert size={15} aria-hidden /> The cluster does not answer; what is shown is old. {message}</p>
  ) : (
    <main className="kafka-fault" role="alert">
      <Empty icon={CircleAlert} title="The cluster does not answer"><Prose text={message} /></Empty>
      <p className="muted">It is asked again every few seconds. The address stands in the services of the flow.</p>
    </main>
  );
}
