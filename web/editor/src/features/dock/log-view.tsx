import { ArrowDownToLine, Pause, ScrollText } from "lucide-react";
import { useLayoutEffect, useRef, useState } from "react";
import { runnerApi } from "../../api/runner";
import { useDocument } from "../../state/document-store";
import { Button } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { usePolled } from "../../ui/use-polled";
import { filtered, shownLine } from "./log-lines";

const AMOUNTS = [200, 500, 2000];
const LEVELS: [string, string][] = [["debug", "all levels"], ["info", "info and worse"], ["warning", "warnings and errors"], ["error", "errors"]];

/** The last lines of the runner's log, the newest at the end; also of a stopped flow. */
export function LogView() {
  const flow = useDocument((state) => state.flow);
  const [amount, setAmount] = useState(AMOUNTS[1] as number);
  const [text, setText] = useState("");
  const [level, setLevel] = useState("debug");
  const [following, setFollowing] = useState(true);
  const { value, error } = usePolled(following ? () => runnerApi.logs(flow, amount) : undefined, `${flow} ${amount}`);
  const lines = filtered((value?.lines ?? []).map(shownLine), level, text);
  return (
    <>
      <div className="bar">
        <Button icon={following ? Pause : ArrowDownToLine} aria-pressed={following} onClick={() => setFollowing(!following)}>{following ? "Stop following" : "Follow"}</Button>
        <select aria-label="Level" value={level} onChange={(event) => setLevel(event.target.value)}>
          {LEVELS.map(([id, title]) => <option key={id} value={id}>{title}</option>)}
        </select>
        <input type="search" aria-label="Filter the log" placeholder="Filter" value={text} onChange={(event) => setText(event.target.value)} />
        <label className="dock-amount"><span className="muted">last</span>
          <select value={amount} onChange={(event) => setAmount(Number(event.target.value))}>{AMOUNTS.map((one) => <option key={one}>{one}</option>)}</select>
        </label>
        {error && <span className="bad">{error.message}</span>}
      </div>
      {lines.length ? (
        <Lines text={lines.map((line) => line.text).join("\n")} following={following} onScrolledUp={() => setFollowing(false)} />
      ) : (
        <Empty icon={ScrollText} title={value?.lines.length ? "No line fits" : "Nothing logged"}>The log of this flow fills when it runs.</Empty>
      )}
    </>
  );
}

const NEAR = 30; // px from the end that still count as the end

/** Stays at the end while it follows; who scrolls up wants to read. */
function Lines({ text, following, onScrolledUp }: { text: string; following: boolean; onScrolledUp: () => void }) {
  const frame = useRef<HTMLPreElement>(null);
  useLayoutEffect(() => {
    const place = frame.current;
    if (place && following) place.scrollTop = place.scrollHeight;
  }, [text, following]);
  const onWheel = () => {
    const place = frame.current;
    if (place && following && place.scrollHeight - place.scrollTop - place.clientHeight > NEAR) onScrolledUp();
  };
  return <pre ref={frame} className="log" tabIndex={0} aria-label="Log" onWheel={onWheel} onKeyUp={onWheel}>{text}</pre>;
}
