import { ArrowLeft, RefreshCw } from "lucide-react";
import type { KeyboardEvent } from "react";
import type { ProvenanceEvent } from "../../api/provenance";
import { clock, span } from "../../document/format";
import { chooseEvent, leaveLineage, showLineage, useProvenance } from "../../state/provenance-store";
import { Button, IconButton } from "../../ui/button";
import { EventView } from "./event-view";

/** The events of one FlowFile's family in order, and one of them in full. */
export function Lineage({ flowfile }: { flowfile: string }) {
  const events = useProvenance((state) => state.events);
  const chosen = useProvenance((state) => state.chosen);
  const [first, last] = [events[0], events.at(-1)];
  const event = events.find((one) => one.id === chosen);
  return (
    <div className="lineage" data-testid="lineage">
      <div className="lineage-list">
        <div className="bar">
          <Button icon={ArrowLeft} onClick={leaveLineage}>Search</Button>
          <span className="muted">{events.length} events{first && last && events.length > 1 && ` in ${span(last.time - first.time)}`}</span>
          <span className="spacer" />
          <IconButton icon={RefreshCw} label="Read the events again" onClick={() => void showLineage(flowfile, chosen)} />
        </div>
        <ol aria-label="Events, oldest first" onKeyDown={onArrow}>
          {events.map((one, index) => <Row key={one.id} event={one} number={index + 1} own={one.flowfile === flowfile} chosen={one.id === chosen} />)}
        </ol>
      </div>
      {event && <EventView key={event.id} event={event} number={events.indexOf(event) + 1} />}
    </div>
  );
}

interface RowProps {
  event: ProvenanceEvent;
  number: number;
  own: boolean;
  chosen: boolean;
}

function Row({ event, number, own, chosen }: RowProps) {
  return (
    <li>
      <button type="button" className="row" aria-pressed={chosen} data-testid="lineage-event" onClick={() => chooseEvent(event.id)}>
        <span className="event-number">{number}</span>
        <span className="event-words">
          <span><b>{event.processor}</b> {event.relationship && <span className="muted">→ {event.relationship}</span>}</span>
          <small>{clock(event.time)} · {event.type}{!own && ` · ${event.parents?.length ? "descendant" : "relative"}`}</small>
        </span>
      </button>
    </li>
  );
}

function onArrow(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...event.currentTarget.querySelectorAll("button")];
  const next = rows[rows.indexOf(document.activeElement as HTMLButtonElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.click();
}
