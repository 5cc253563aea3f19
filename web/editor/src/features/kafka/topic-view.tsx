import { CircleAlert, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { mayEdit, mayOperate } from "../../api/client";
import type { Topic } from "../../api/kafka";
import { Button } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { Tabs } from "../../ui/tabs";
import { usePolled } from "../../ui/use-polled";
import { DeleteTopic } from "./delete-topic";
import { Fault } from "./fault";
import { amount } from "./figures";
import type { Lens } from "./kafka-page";
import { Partitions } from "./partitions";
import { Produce } from "./produce";
import { Settings } from "./settings";
import { TailView } from "./tail-view";
import { UsedBy } from "./used-by";

/** One topic: its partitions, its records, its settings, and who uses it. */
export function TopicView({ lens, onGone }: { lens: Lens; onGone: () => void }) {
  const { api, place, to } = lens;
  const [open, setOpen] = useState<"produce" | "delete">();
  const { value: topic, error, again } = usePolled(() => api.topic(place.topic), place.topic);
  if (!topic) return error ? <Empty icon={CircleAlert} title={`Topic ${place.topic} cannot be shown`}>{error.message}</Empty> : <p className="muted">Asking …</p>;
  const tabs = [
    { id: "partitions" as const, title: "Partitions" },
    { id: "records" as const, title: "Records" },
    { id: "settings" as const, title: "Settings" },
    { id: "used" as const, title: topic.used_by.length ? `Used by ${topic.used_by.length}` : "Used by" },
  ];
  return (
    <>
      <header className="kafka-head">
        <h2>{topic.name}</h2>
        {topic.internal && <span className="tag">Kafka&rsquo;s own</span>}
        <span className="muted">{amount(topic.partitions.length, "partition")}</span>
        <span className="spacer" />
        {mayOperate && <Button icon={Send} onClick={() => setOpen("produce")}>Produce …</Button>}
        {mayEdit && <Button icon={Trash2} tone="danger" disabled={topic.internal} onClick={() => setOpen("delete")}>Delete …</Button>}
      </header>
      <Fault error={error} />
      <Tabs label={`Topic ${topic.name}`} tabs={tabs} chosen={place.tab} onChoose={(tab) => to({ tab })} />
      <Shown lens={lens} topic={topic} />
      {open === "produce" && <Produce api={api} topic={topic} onClose={() => { setOpen(undefined); again(); }} />}
      {open === "delete" && (
        <DeleteTopic
          api={api}
          topic={topic}
          onClose={(gone) => {
            setOpen(undefined);
            if (gone) to({ topic: "", tab: "partitions" });
            if (gone) onGone();
          }}
        />
      )}
    </>
  );
}

function Shown({ lens, topic }: { lens: Lens; topic: Topic }) {
  switch (lens.place.tab) {
    case "records":
      return <TailView api={lens.api} topic={topic.name} partitions={topic.partitions.length} />;
    case "settings":
      return <Settings settings={topic.config} />;
    case "used":
      return <UsedBy lens={lens} topic={topic} />;
    default:
      return <Partitions partitions={topic.partitions} />;
  }
}
