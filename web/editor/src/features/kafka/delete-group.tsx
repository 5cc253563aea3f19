import type { Group, KafkaApi } from "../../api/kafka";
import { attempt } from "../../ui/report";
import { whyLive } from "./live-members";
import { TypedConfirmation } from "./typed-confirmation";

/** Forget a group and its offsets. */
export function DeleteGroup({ api, group, onClose }: { api: KafkaApi; group: Group; onClose: (gone: boolean) => void }) {
  const remove = async () => {
    const done = await attempt(api.deleteGroup(group.id).then(() => true), `Group ${group.id} is deleted`);
    onClose(!!done);
  };
  return (
    <TypedConfirmation title={`Delete group ${group.id}`} name={group.id} refusal={whyLive(group)} onConfirm={remove} onClose={() => onClose(false)}>
      <p>Its offsets will be gone: who joins with this name again begins where its reset policy says.</p>
    </TypedConfirmation>
  );
}
