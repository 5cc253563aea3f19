import { GitCompare, History, Undo2 } from "lucide-react";
import { useState } from "react";
import { mayEdit } from "../../api/client";
import { flowsApi } from "../../api/flows";
import { moment } from "../../document/format";
import { refresh, useDocument } from "../../state/document-store";
import { Button } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { attempt } from "../../ui/report";
import { useAnswer } from "../../ui/use-answer";
import { ChangeList } from "../deploy/change-list";

/** Every deployed version: what it changed against the draft, and back to it. */
export function Versions() {
  const { flow, seq, ahead } = useDocument();
  const [round, setRound] = useState(0);
  const [compared, setCompared] = useState<number>();
  const found = useAnswer(() => flowsApi.versions(flow), `${flow} ${ahead} ${round}`);
  const diff = useAnswer(compared === undefined ? undefined : () => flowsApi.diff(flow, compared, "draft"), `${flow} ${compared} ${seq}`);
  if (!found?.versions.length) return <Empty icon={History} title="Not deployed yet">Each deploy is kept here and can be restored.</Empty>;
  const restore = async (number: number) => {
    await attempt(flowsApi.restore(flow, number), `Restored version ${number}`);
    await refresh();
    setRound(round + 1);
  };
  return (
    <div className="split">
      <ul className="rows">
        {found.versions.map((one, index) => (
          <li key={one.number} className="row">
            <b>Version {one.number}</b>
            {index === 0 && <em className="tag">deployed</em>}
            <span>{moment(one.time)} {one.user && `by ${one.user}`} {one.restored ? `(version ${one.restored} again)` : ""}</span>
            <span className="spacer" />
            <Button icon={GitCompare} onClick={() => setCompared(one.number)}>Compare with draft</Button>
            {mayEdit && index > 0 && <Button icon={Undo2} onClick={() => void restore(one.number)}>Restore</Button>}
          </li>
        ))}
      </ul>
      {compared !== undefined && (
        <div>
          <h3>From version {compared} to the draft</h3>
          {diff && <ChangeList changes={diff.changes} />}
        </div>
      )}
    </div>
  );
}
