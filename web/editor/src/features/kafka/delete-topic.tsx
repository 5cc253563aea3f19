import type { KafkaApi, Topic } from "../../api/kafka";
import { count } from "../../document/format";
import { attempt } from "../../ui/report";
import { amount, heldBy } from "./figures";
import { TypedConfirmation } from "./typed-confirmation";

/** Delete a topic with everything in it. */
export function DeleteTopic({ api, topic, onClose }: { api: KafkaApi; topic: Topic; onClose: (gone: boolean) => void }) {
  const records = topic.partitions.reduce((sum, one) => sum + heldBy(one), 0);
  const remove = async () => {
    const done = await attempt(api.deleteTopic(topic.name).then(() => true), `Topic ${topic.name} is deleted`);
    onClose(!!done);
  };
  return (
    <TypedConfirmation title={`Delete topic ${topic.name}`} name={topic.name} onConfirm={remove} onClose={() => onClose(false)}>
      <p>About <b>{count(records)}</b> records in {amount(topic.partitions.length, "partition")} will be gone for everybody. This cannot be undone.</p>
      {topic.used_by.length > 0 && <p className="notice warn">Used by {topic.used_by.map((one) => `${one.processor} of ${one.flow}`).join(", ")}.</p>}
      {topic.groups.length > 0 && <p className="notice warn">Read by {topic.groups.join(", ")}.</p>}
    </TypedConfirmation>
  );
}
