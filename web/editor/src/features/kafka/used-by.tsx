import { ArrowRightFromLine, ArrowRightToLine, Workflow } from "lucide-react";
import type { Topic } from "../../api/kafka";
import { Empty } from "../../ui/empty";
import { followLink, hrefOf } from "../../ui/router";
import type { Lens } from "./kafka-page";
import { addressOf } from "./place";

/** Processors and groups that have to do with a topic; each leads to where it is. */
export function UsedBy({ lens, topic }: { lens: Lens; topic: Topic }) {
  return (
    <>
      {topic.used_by.length ? (
        <div className="table-frame" tabIndex={0} role="group" aria-label="Processors">
          <table>
            <thead>
              <tr><th scope="col">Processor</th><th scope="col">Flow</th><th scope="col">Type</th><th scope="col">Does</th></tr>
            </thead>
            <tbody>
              {topic.used_by.map((one) => {
                const there = `flows/${encodeURIComponent(one.flow)}?at=${encodeURIComponent(one.processor)}`;
                return (
                  <tr key={`${one.flow} ${one.processor}`}>
                    <th scope="row"><a className="link" href={hrefOf(there)} onClick={(event) => followLink(event, there)}>{one.processor}</a></th>
                    <td>{one.flow}</td>
                    <td>{one.type}</td>
                    <td>
                      {one.writes && <span className="mark"><ArrowRightToLine size={13} aria-hidden /> writes</span>}
                      {one.reads && <span className="mark"><ArrowRightFromLine size={13} aria-hidden /> reads</span>}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      ) : (
        <Empty icon={Workflow} title="No flow of this server names this topic">A topic that an expression makes up while a flow runs cannot be found here.</Empty>
      )}
      <h3>Consumer groups with offsets on it</h3>
      {topic.groups.length ? (
        <ul className="plain-list kafka-chips">
          {topic.groups.map((group) => {
            const there = addressOf(lens.flow, { ...lens.place, shown: "groups", group });
            return <li key={group}><a className="link" href={hrefOf(there)} onClick={(event) => followLink(event, there)}>{group}</a></li>;
          })}
        </ul>
      ) : (
        <p className="muted">None: nobody has committed an offset here.</p>
      )}
    </>
  );
}
