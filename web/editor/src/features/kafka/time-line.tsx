import { Activity, LogIn, LogOut, Shuffle } from "lucide-react";
import type { LucideIcon } from "lucide-react";
import type { GroupEvent } from "../../api/kafka";
import { clock, span } from "../../document/format";
import { laned } from "./figures";

const ICONS: Record<GroupEvent["kind"], LucideIcon> = { joined: LogIn, left: LogOut, rebalanced: Shuffle, state: Activity };
const WORDS: Record<GroupEvent["kind"], string> = { joined: "joined", left: "left", rebalanced: "rebalanced", state: "state" };
const SHOWN = 50;

/** Who came and went since somebody began to look: a lane for each kind, then the list. */
export function TimeLine({ events }: { events: GroupEvent[] }) {
  if (!events.length) return <p className="muted">Nothing has changed since this group is watched. Start or stop a member, and it shows here.</p>;
  const now = Date.now() * 1000;
  const { from, lanes } = laned(events, now);
  const newest = [...events].sort((a, b) => b.time - a.time).slice(0, SHOWN);
  return (
    <div className="time-line">
      <div className="lanes" role="img" aria-label={`${events.length} events in the last ${span(now - from)}`}>
        {lanes.map(({ kind, marks }) => {
          const Icon = ICONS[kind];
          return (
            <div key={kind} className="lane">
              <span className="lane-name"><Icon size={13} aria-hidden /> {WORDS[kind]}</span>
              <span className="lane-track">
                {marks.map(({ at, event }, index) => <i key={index} className={`lane-mark ${kind}`} style={{ left: `${at}%` }} title={`${clock(event.time)} ${event.text}`} />)}
              </span>
            </div>
          );
        })}
        <div className="lane"><span className="lane-name" /><span className="lane-scale"><span>{span(now - from)} ago</span><span>now</span></span></div>
      </div>
      <ol className="time-list" tabIndex={0} aria-label="Events, newest first">
        {newest.map((event, index) => {
          const Icon = ICONS[event.kind];
          return <li key={index}><time>{clock(event.time)}</time> <Icon size={13} aria-hidden /> <span className="wrap">{event.text}</span></li>;
        })}
      </ol>
    </div>
  );
}
