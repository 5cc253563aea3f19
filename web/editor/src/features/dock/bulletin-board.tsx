import { BellOff, CircleAlert, Info, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { runnerApi } from "../../api/runner";
import type { Bulletin } from "../../api/runner";
import { clock } from "../../document/format";
import { kindOf } from "../../document/tree";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { reveal } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { useAnswer } from "../../ui/use-answer";
import { EVERYTHING, fits, merged } from "./bulletin-filter";
import type { BulletinFilter } from "./bulletin-filter";

const LEVELS: [Bulletin["level"], string][] = [["debug", "all levels"], ["info", "info and worse"], ["warning", "warnings and errors"], ["error", "errors"]];
const ICONS = { debug: Info, info: Info, warning: TriangleAlert, error: CircleAlert };

/** Messages of the last minutes, newest first; what came before this page was opened as well. */
export function BulletinBoard() {
  const flow = useDocument((state) => state.flow);
  const state = useLive((live) => live.state);
  const fresh = useLive((live) => live.bulletins);
  const earlier = useAnswer(() => runnerApi.bulletins(flow), `${flow} ${state}`);
  const [cleared, setCleared] = useState(0);
  const [filter, setFilter] = useState<BulletinFilter>(EVERYTHING);
  const known = merged(earlier?.bulletins ?? [], fresh).filter((one) => one.time > cleared);
  const shown = known.filter((one) => fits(one, filter));
  if (!known.length) return <Empty icon={BellOff} title="No bulletins">Warnings and errors of processors appear here and on their nodes.</Empty>;
  const change = (part: Partial<BulletinFilter>) => setFilter({ ...filter, ...part });
  const components = [...new Set(known.map((one) => one.component).filter(Boolean))].sort();
  return (
    <>
      <div className="bar">
        <select aria-label="Level" value={filter.level} onChange={(event) => change({ level: event.target.value as Bulletin["level"] })}>
          {LEVELS.map(([level, title]) => <option key={level} value={level}>{title}</option>)}
        </select>
        <select aria-label="Component" value={filter.component} onChange={(event) => change({ component: event.target.value })}>
          <option value="">every component</option>
          {components.map((id) => <option key={id}>{id}</option>)}
        </select>
        <input type="search" aria-label="Search bulletins" placeholder="Search" value={filter.text} onChange={(event) => change({ text: event.target.value })} />
        <span className="muted">{shown.length} of {known.length}</span>
        <span className="spacer" />
        <Button onClick={() => setCleared(known[0]?.time ?? 0)}>Clear</Button>
      </div>
      {shown.length ? (
        <ul className="rows" aria-label="Bulletins">
          {shown.map((one) => <Row key={one.id} bulletin={one} />)}
        </ul>
      ) : (
        <Empty icon={BellOff} title="No bulletin fits">Choose another level or component, or search for less.</Empty>
      )}
    </>
  );
}

function Row({ bulletin }: { bulletin: Bulletin }) {
  const { component, level, message, count, time } = bulletin;
  const Icon = ICONS[level];
  return (
    <li>
      <button type="button" className="row" data-testid="bulletin" onClick={() => goTo(component)}>
        <time>{clock(time)}</time>
        <span className={`tag ${level}`}><Icon size={11} aria-hidden /> {level}</span>
        <b>{component || "flow"}</b>
        <span className="wrap">{message}</span>
        {count > 1 && <em>× {count}</em>}
      </button>
    </li>
  );
}

/** To its node; what is said of the flow as a whole has none. */
function goTo(component: string): void {
  const { document } = useDocument.getState();
  if (document && kindOf(document, component)) reveal(component);
}
