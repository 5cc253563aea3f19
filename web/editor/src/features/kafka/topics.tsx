import { Layers, Plus, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { mayOperate } from "../../api/client";
import type { TopicSummary } from "../../api/kafka";
import { bytes, count } from "../../document/format";
import { Button } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { usePolled } from "../../ui/use-polled";
import { CreateTopic } from "./create-topic";
import { Fault } from "./fault";
import { amount } from "./figures";
import type { Lens } from "./kafka-page";
import { LinkList, LinkRow } from "./list";
import { addressOf } from "./place";
import { TopicView } from "./topic-view";

/** All topics at the left, one of them at the right. */
export function Topics({ lens, brokers }: { lens: Lens; brokers: number }) {
  const { api, place, to } = lens;
  const [internal, setInternal] = useState(false);
  const [text, setText] = useState("");
  const [making, setMaking] = useState(false);
  const { value, error, again } = usePolled(() => api.topics(internal), `${internal}`);
  const found = value?.topics.filter((one) => one.name.toLowerCase().includes(text.toLowerCase()));
  return (
    <div className="kafka-body">
      <section className="kafka-side" aria-label="Topics">
        <div className="bar">
          <input type="search" aria-label="Search topics" placeholder="Search topics" value={text} onChange={(event) => setText(event.target.value)} />
          {mayOperate && <Button icon={Plus} onClick={() => setMaking(true)}>New …</Button>}
        </div>
        <label className="kafka-check"><input type="checkbox" checked={internal} onChange={(event) => setInternal(event.target.checked)} /> Kafka&rsquo;s own topics too</label>
        <Fault error={error} />
        <LinkList label="Topics">
          {found?.map((one) => <Row key={one.name} topic={one} lens={lens} />)}
        </LinkList>
        {found?.length === 0 && <p className="muted kafka-none">{value?.topics.length ? "No topic has this name." : "No topic yet. PublishKafka makes its topic, or make one here."}</p>}
      </section>
      <main className="kafka-main">
        {place.topic ? (
          <TopicView key={place.topic} lens={lens} onGone={again} />
        ) : (
          <Empty icon={Layers} title="A topic is a log in pieces">
            Each topic is cut into partitions; order holds inside one of them, and the same key always leads to the same one. Choose a topic to see its partitions, read along, or find which processors use it.
          </Empty>
        )}
      </main>
      {making && (
        <CreateTopic
          api={api}
          brokers={brokers}
          onClose={(made) => {
            setMaking(false);
            again();
            if (made) to({ topic: made });
          }}
        />
      )}
    </div>
  );
}

function Row({ topic, lens: { flow, place } }: { topic: TopicSummary; lens: Lens }) {
  return (
    <LinkRow to={addressOf(flow, { ...place, shown: "topics", topic: topic.name })} chosen={topic.name === place.topic}>
      <b>{topic.name}</b>
      <small>
        {amount(topic.partitions, "partition")} × {topic.replication}
        {topic.records !== null && ` · ${count(topic.records)} records`}
        {topic.size !== null && ` · ${bytes(topic.size)}`}
      </small>
      {topic.under_replicated > 0 && <span className="mark warn"><TriangleAlert size={12} aria-hidden /> {topic.under_replicated} under-replicated</span>}
    </LinkRow>
  );
}
