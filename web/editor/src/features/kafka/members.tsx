import { Coffee, UserRound } from "lucide-react";
import type { Member } from "../../api/kafka";
import { ordered, sharesOf } from "./figures";

/** Each member with its partitions; one without any says so. */
export function Members({ members }: { members: Member[] }) {
  if (!members.length) return <p className="muted">None is there now.</p>;
  return (
    <ul className="members">
      {ordered(members).map((one) => (
        <li key={one.id} className={`member ${one.idle ? "idle" : ""}`} data-testid="member">
          <div className="member-head">
            <UserRound size={15} aria-hidden />
            <b>{one.client_id || one.id}</b>
            {one.idle && <span className="mark warn"><Coffee size={13} aria-hidden /> idle</span>}
          </div>
          <small title={one.id}>{one.instance_id ? `static ${one.instance_id} · ` : ""}{one.host}</small>
          {sharesOf(one).map(({ topic, partitions }) => (
            <div key={topic} className="share">
              <span>{topic}</span>
              {partitions.map((partition) => <span key={partition} className="partition-chip" data-testid="assigned" aria-label={`partition ${partition}`}>{partition}</span>)}
            </div>
          ))}
          {one.idle && <div className="share muted">no partition is left for it</div>}
        </li>
      ))}
    </ul>
  );
}
