import { CircleAlert, History, Trash2 } from "lucide-react";
import { useState } from "react";
import { mayOperate } from "../../api/client";
import { count } from "../../document/format";
import { Button } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { usePolled } from "../../ui/use-polled";
import { DeleteGroup } from "./delete-group";
import { Fault } from "./fault";
import { advice, totalLag } from "./figures";
import { GroupState } from "./group-state";
import type { Lens } from "./kafka-page";
import { Lag } from "./lag";
import { Members } from "./members";
import { Reset } from "./reset";
import { TimeLine } from "./time-line";

/** One group: who reads what, how far behind, and what changed while one looked. */
export function GroupView({ lens, onGone }: { lens: Lens; onGone: () => void }) {
  const { api, place, to } = lens;
  const [open, setOpen] = useState<"reset" | "delete">();
  const { value: group, error, again } = usePolled(() => api.group(place.group), place.group);
  if (!group) return error ? <Empty icon={CircleAlert} title={`Group ${place.group} cannot be shown`}>{error.message}</Empty> : <p className="muted">Asking …</p>;
  const said = advice(group);
  return (
    <>
      <header className="kafka-head">
        <h2>{group.id}</h2>
        <GroupState state={group.state} />
        <span className="muted">
          <b data-testid="total-lag">{count(totalLag(group.offsets))}</b> behind
          {group.assignor && <> · assignor {group.assignor}</>}
          {group.coordinator !== null && <> · coordinator {group.coordinator}</>}
        </span>
        <span className="spacer" />
        {mayOperate && <Button icon={History} onClick={() => setOpen("reset")}>Reset offsets …</Button>}
        {mayOperate && <Button icon={Trash2} tone="danger" onClick={() => setOpen("delete")}>Delete …</Button>}
      </header>
      <Fault error={error} />
      {said && <p className="notice" data-testid="advice">{said}</p>}
      <section aria-label="Members">
        <h3>Members</h3>
        <Members members={group.members} />
      </section>
      <section aria-label="Lag">
        <h3>Lag by partition</h3>
        <Lag offsets={group.offsets} members={group.members} />
      </section>
      <section aria-label="Time line">
        <h3>Rebalances</h3>
        <TimeLine events={group.events} />
      </section>
      {open === "reset" && <Reset api={api} group={group} onClose={() => { setOpen(undefined); again(); }} />}
      {open === "delete" && (
        <DeleteGroup
          api={api}
          group={group}
          onClose={(gone) => {
            setOpen(undefined);
            if (gone) to({ group: "" });
            if (gone) onGone();
          }}
        />
      )}
    </>
  );
}
