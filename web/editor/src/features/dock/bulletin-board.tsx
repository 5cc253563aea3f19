import { BellOff } from "lucide-react";
import { useState } from "react";
import { clock } from "../../document/format";
import { runnerApi } from "../../api/runner";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { reveal } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { useAnswer } from "../../ui/use-answer";

/** Messages of the last minutes, newest first; what came before this page was opened as well. */
export function BulletinBoard() {
  const flow = useDocument((state) => state.flow);
  const fresh = useLive((live) => live.bulletins);
  const earlier = useAnswer(() => runnerApi.bulletins(flow), `${flow} ${fresh.length}`);
  const [cleared, setCleared] = useState(0);
  const known = new Map([...(earlier?.bulletins ?? []), ...fresh].map((one) => [one.id, one]));
  const shown = [...known.values()].filter((one) => one.time > cleared).sort((a, b) => b.time - a.time);
  if (!shown.length) return <Empty icon={BellOff} title="No bulletins">Warnings and errors of processors appear here and on their nodes.</Empty>;
  return (
    <>
      <div className="bar">
        <Button onClick={() => setCleared(shown[0]?.time ?? 0)}>Clear</Button>
      </div>
      <ul className="rows">
        {shown.map((one) => (
          <li key={one.id}>
            <button type="button" className="row" onClick={() => one.component && reveal(one.component)}>
              <time>{clock(one.time)}</time>
              <span className={`tag ${one.level}`}>{one.level}</span>
              <b>{one.component || "flow"}</b>
              <span className="wrap">{one.message}</span>
              {one.count > 1 && <em>× {one.count}</em>}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
