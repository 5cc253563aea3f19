import { Cable } from "lucide-react";
import { Empty } from "../../ui/empty";
import { followLink, hrefOf } from "../../ui/router";

/** What to do where a flow has nothing to do with Kafka yet. */
export function NoConnection({ flow }: { flow: string }) {
  const canvas = `flows/${flow}`;
  return (
    <main className="kafka-fault">
      <Empty icon={Cable} title="This flow has no KafkaConnection">
        Topics and groups are seen through a connection of the flow. Add a service of type KafkaConnection on the canvas; its address
        may be <code>local</code>, the broker that <code>flowengine kafka start</code> runs.
      </Empty>
      <a className="button plain" href={hrefOf(canvas)} onClick={(event) => followLink(event, canvas)}>Back to the canvas</a>
    </main>
  );
}
