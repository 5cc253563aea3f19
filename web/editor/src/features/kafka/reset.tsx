import { History } from "lucide-react";
import { useState } from "react";
import type { Group, KafkaApi, Moved } from "../../api/kafka";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { attempt } from "../../ui/report";
import { whyLive } from "./live-members";
import { askedFor, target } from "./reset-to";
import type { Wish } from "./reset-to";

const WAYS: Record<Wish["to"], string> = {
  earliest: "the beginning: everything is read again",
  latest: "the end: what waits is passed over",
  time: "a time",
  offsets: "offsets of your choice",
};

/** Move a group's offsets in one topic; not while somebody reads with it. */
export function Reset({ api, group, onClose }: { api: KafkaApi; group: Group; onClose: () => void }) {
  const topics = [...new Set(group.offsets.map((one) => one.topic))].sort();
  const [topic, setTopic] = useState(topics[0] ?? "");
  const [wish, setWish] = useState<Wish>({ to: "earliest", time: "", offsets: {} });
  const [moved, setMoved] = useState<Moved[]>();
  const own = group.offsets.filter((one) => one.topic === topic && one.end !== null).sort((a, b) => a.partition - b.partition);
  const asked = askedFor(wish, own);
  const refusal = whyLive(group);
  const reset = async () => {
    if (asked === undefined || refusal) return;
    const done = await attempt(api.reset(group.id, topic, asked));
    if (done) setMoved(done.offsets);
  };
  return (
    <Dialog
      title={`Reset offsets of ${group.id}`}
      size="medium"
      onClose={onClose}
      footer={<><Button onClick={onClose}>{moved ? "Close" : "Cancel"}</Button>{!moved && <Button tone="danger" icon={History} disabled={asked === undefined || !!refusal || !topic} onClick={() => void reset()}>Reset</Button>}</>}
    >
      {refusal && <p className="notice warn" role="alert" data-testid="refusal">{refusal}</p>}
      <p className="help">A flow that reads with this group keeps positions of its own, and the greater one counts: to go back in a flow, stop it and use <code>flowengine reset --offsets</code>.</p>
      {!topics.length && <p className="notice">This group has committed no offset: there is nothing to move.</p>}
      {moved ? (
        <Result moved={moved} />
      ) : (
        <>
          {topics.length > 1 && (
            <label className="field"><span className="field-title">Topic</span>
              <select value={topic} onChange={(event) => setTopic(event.target.value)}>{topics.map((one) => <option key={one}>{one}</option>)}</select>
            </label>
          )}
          <fieldset className="choices">
            <legend>Go on from</legend>
            {(Object.keys(WAYS) as Wish["to"][]).map((to) => (
              <label key={to} className="choice">
                <input type="radio" name="reset-to" data-focus={to === wish.to || undefined} checked={wish.to === to} onChange={() => setWish({ ...wish, to })} /> {WAYS[to]}
              </label>
            ))}
          </fieldset>
          {wish.to === "time" && <input type="datetime-local" step={1} aria-label="Time" value={wish.time} onChange={(event) => setWish({ ...wish, time: event.target.value })} />}
          {own.length > 0 && (
            <div className="table-frame" tabIndex={0} role="group" aria-label="Offsets">
              <table>
                <thead><tr><th scope="col">Partition</th><th scope="col">Kept</th><th scope="col">Now</th><th scope="col">Then</th></tr></thead>
                <tbody>
                  {own.map((one) => (
                    <tr key={one.partition}>
                      <th scope="row">{one.partition}</th>
                      <td>{one.first} – {one.end}</td>
                      <td>{one.committed ?? "nothing yet"}</td>
                      <td>
                        {wish.to === "offsets" ? (
                          <input type="number" min={one.first ?? 0} max={one.end ?? undefined} aria-label={`Offset of partition ${one.partition}`} value={wish.offsets[one.partition] ?? one.committed ?? one.first ?? 0} onChange={(event) => setWish({ ...wish, offsets: { ...wish.offsets, [one.partition]: event.target.value } })} />
                        ) : (
                          <b>{target(asked, one) ?? "as the brokers say"}</b>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </>
      )}
    </Dialog>
  );
}

function Result({ moved }: { moved: Moved[] }) {
  return (
    <div role="status">
      <p>The group goes on from here when a member joins:</p>
      <table>
        <thead><tr><th scope="col">Partition</th><th scope="col">Before</th><th scope="col">Now</th></tr></thead>
        <tbody>
          {moved.map((one) => (
            <tr key={`${one.topic} ${one.partition}`}><th scope="row">{one.partition}</th><td>{one.before ?? "nothing yet"}</td><td><b>{one.after ?? "nothing"}</b></td></tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
