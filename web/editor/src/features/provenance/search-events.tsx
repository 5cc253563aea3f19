import { Route, Search as SearchIcon } from "lucide-react";
import { useState } from "react";
import { EVENT_TYPES, provenanceApi } from "../../api/provenance";
import type { ProvenanceEvent, Search } from "../../api/provenance";
import { bytes, moment } from "../../document/format";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { searchAgain, showLineage, useProvenance } from "../../state/provenance-store";
import { Button } from "../../ui/button";
import { Empty } from "../../ui/empty";
import { attempt } from "../../ui/report";
import { useAnswer } from "../../ui/use-answer";
import { processorsOf } from "./processors";

const PERIODS: [string, string][] = [["", "any time"], ["5", "5 minutes"], ["60", "an hour"], ["1440", "a day"]];

/** Events, newest first, by what is known of them. */
export function SearchEvents() {
  const flow = useDocument((state) => state.flow);
  const state = useLive((live) => live.state);
  const { search, round } = useProvenance();
  const [more, setMore] = useState<{ round: number; events: ProvenanceEvent[]; next: number | null }>();
  const found = useAnswer(() => attempt(provenanceApi.search(flow, search)), `${flow} ${state} ${round}`);
  const older = more?.round === round ? more : undefined;
  const events = [...(found?.events ?? []), ...(older?.events ?? [])];
  const next = older ? older.next : found?.next;
  const goOn = async (cursor: number) => {
    const page = await attempt(provenanceApi.search(flow, search, cursor));
    if (page) setMore({ round, events: [...(older?.events ?? []), ...page.events], next: page.next });
  };
  return (
    <div className="provenance">
      <Form key={round} search={search} />
      {events.length ? (
        <div className="table-frame" tabIndex={0} role="group" aria-label="Events">
          <table>
            <thead>
              <tr><th scope="col">Time</th><th scope="col">Event</th><th scope="col">Processor</th><th scope="col">FlowFile</th><th scope="col">Relationship</th><th scope="col">Size</th></tr>
            </thead>
            <tbody>
              {events.map((one) => (
                <tr key={one.id} data-testid="event" onClick={() => void showLineage(one.flowfile, one.id)}>
                  <td>{moment(one.time)}</td>
                  <td><span className="tag">{one.type}</span></td>
                  <td>{one.processor}</td>
                  <td><button type="button" className="link" onClick={(event) => { event.stopPropagation(); void showLineage(one.flowfile, one.id); }}>{one.attributes?.["filename"] ?? one.flowfile}</button></td>
                  <td>{one.relationship}</td>
                  <td>{bytes(one.size ?? 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {typeof next === "number" && <Button onClick={() => void goOn(next)}>Older events</Button>}
        </div>
      ) : (
        <Empty icon={Route} title={found ? "No event fits" : "Asking …"}>
          Each step of a FlowFile leaves an event, also of flows that have stopped. In a fast flow only some FlowFiles of each second are followed, but those from their source to their end.
        </Empty>
      )}
    </div>
  );
}

function Form({ search }: { search: Search }) {
  const [own, setOwn] = useState(search);
  const document = useDocument((state) => state.document);
  const names = document ? processorsOf(document) : [];
  const change = (part: Partial<Search>) => setOwn({ ...own, ...part });
  return (
    <form className="provenance-form" aria-label="Search events" onSubmit={(event) => { event.preventDefault(); searchAgain(own); }}>
      <select aria-label="Processor" value={own.processor} onChange={(event) => change({ processor: event.target.value })}>
        <option value="">any processor</option>
        {[...new Set([...names, ...(own.processor ? [own.processor] : [])])].map((id) => <option key={id}>{id}</option>)}
      </select>
      <select aria-label="Event type" value={own.type} onChange={(event) => change({ type: event.target.value })}>
        <option value="">any event</option>
        {EVENT_TYPES.map((type) => <option key={type}>{type}</option>)}
      </select>
      <select aria-label="Time" value={own.minutes} onChange={(event) => change({ minutes: event.target.value })}>
        {PERIODS.map(([minutes, title]) => <option key={minutes} value={minutes}>{minutes ? `the last ${title.replace(/^an? /, "")}` : title}</option>)}
      </select>
      <input type="text" aria-label="Attribute" placeholder="attribute=value" value={own.attribute} onChange={(event) => change({ attribute: event.target.value })} />
      <input type="text" aria-label="FlowFile" placeholder="uuid of a FlowFile" value={own.flowfile} onChange={(event) => change({ flowfile: event.target.value.trim() })} />
      <Button type="submit" icon={SearchIcon}>Search</Button>
    </form>
  );
}
