import { Users } from "lucide-react";
import { useState } from "react";
import type { GroupSummary } from "../../api/kafka";
import { count } from "../../document/format";
import { Empty } from "../../ui/empty";
import { usePolled } from "../../ui/use-polled";
import { Fault } from "./fault";
import { amount } from "./figures";
import { GroupState } from "./group-state";
import { GroupView } from "./group-view";
import type { Lens } from "./kafka-page";
import { LinkList, LinkRow } from "./list";
import { addressOf } from "./place";

/** All consumer groups at the left, one of them at the right. */
export function Groups({ lens }: { lens: Lens }) {
  const { api, place } = lens;
  const [text, setText] = useState("");
  const { value, error, again } = usePolled(api.groups, "groups");
  const found = value?.groups.filter((one) => one.id.toLowerCase().includes(text.toLowerCase()));
  return (
    <div className="kafka-body">
      <section className="kafka-side" aria-label="Consumer groups">
        <input type="search" aria-label="Search groups" placeholder="Search groups" value={text} onChange={(event) => setText(event.target.value)} />
        <Fault error={error} />
        <LinkList label="Consumer groups">
          {found?.map((one) => <Row key={one.id} group={one} lens={lens} />)}
        </LinkList>
        {found?.length === 0 && <p className="muted kafka-none">{value?.groups.length ? "No group has this name." : "No consumer group yet. ConsumeKafka makes its group when it starts."}</p>}
      </section>
      <main className="kafka-main">
        {place.group ? (
          <GroupView key={place.group} lens={lens} onGone={again} />
        ) : (
          <Empty icon={Users} title="A group shares the work">
            Kafka gives each partition to one member of a group: three partitions make two members share 2 and 1, and a fourth member wait. Every group keeps its own offsets and reads everything. Choose a group to see who reads what, and how far behind.
          </Empty>
        )}
      </main>
    </div>
  );
}

function Row({ group, lens: { flow, place } }: { group: GroupSummary; lens: Lens }) {
  return (
    <LinkRow to={addressOf(flow, { ...place, shown: "groups", group: group.id })} chosen={group.id === place.group}>
      <b>{group.id}</b>
      <GroupState state={group.state} />
      <small>
        {amount(group.members, "member")}
        {group.lag !== null && ` · ${count(group.lag)} behind`}
        {group.topics.length > 0 && ` · ${group.topics.join(", ")}`}
      </small>
    </LinkRow>
  );
}
