import { Download, Repeat2 } from "lucide-react";
import { mayOperate } from "../../api/client";
import { provenanceApi } from "../../api/provenance";
import type { EventDetails, ProvenanceEvent } from "../../api/provenance";
import { bytes, moment } from "../../document/format";
import { afterwards, attributeRows } from "../../document/lineage";
import { useDocument } from "../../state/document-store";
import { useLive } from "../../state/live-store";
import { showLineage, useProvenance } from "../../state/provenance-store";
import { useUi } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { attempt } from "../../ui/report";
import { useAnswer } from "../../ui/use-answer";
import { BytesView } from "../content/bytes-view";

/** One event: what it saw, what it changed, and the FlowFile's content as it was. */
export function EventView({ event, number }: { event: ProvenanceEvent; number: number }) {
  const flow = useDocument((state) => state.flow);
  const state = useLive((live) => live.state);
  const details = useAnswer(() => attempt(provenanceApi.event(flow, event.id)), `${flow} ${event.id} ${state}`);
  const refusal = details && (mayOperate ? details.refusal : "your role may not put FlowFiles into queues");
  return (
    <section className="event" aria-label={`Event ${number}`} tabIndex={0}>
      <div className="bar">
        <h3><span className="event-number">{number}</span> {event.type} at {event.processor}</h3>
        <span className="spacer" />
        {details && <Replay details={details} refusal={refusal} />}
      </div>
      {refusal && <p className="muted replay-refusal" id="replay-refusal">Cannot be replayed: {refusal}.</p>}
      <p className="muted">
        {moment(event.time)} · <code>{event.flowfile}</code>
        {event.connection && <> · came by {event.connection}</>}
        {event.relationship && <> · went to {event.relationship}</>}
      </p>
      <div className="event-parts">
        <Attributes event={event} />
        {details && <Content details={details} />}
      </div>
    </section>
  );
}

/** Disabled with its reason where there is nothing to put back. */
function Replay({ details, refusal }: { details: EventDetails; refusal: string | null | undefined }) {
  const flow = useDocument((state) => state.flow);
  const replay = async () => {
    const made = await attempt(provenanceApi.replay(flow, details.id));
    if (!made) return;
    useUi.getState().toast(`Put into ${details.connection} again, as ${made.flowfile}`, "good");
    await showLineage(useProvenance.getState().flowfile, details.id);
  };
  return (
    <Button icon={Repeat2} disabled={!!refusal} aria-describedby={refusal ? "replay-refusal" : undefined} title={refusal ?? `Put it into ${details.connection} again`} onClick={() => void replay()}>
      Replay
    </Button>
  );
}

const WORDS = { added: "added", removed: "removed", changed: "changed", "": "" };

function Attributes({ event }: { event: ProvenanceEvent }) {
  const events = useProvenance((state) => state.events);
  const rows = attributeRows(event.attributes ?? {}, afterwards(events, event));
  if (!rows.length) return <p className="muted">No attributes.</p>;
  return (
    <table className="attributes" aria-label="Attributes">
      <tbody>
        {rows.map(({ name, before, after, change }) => (
          <tr key={name}>
            <th scope="row">{name} {change && <span className={`tag ${change}`}>{WORDS[change]}</span>}</th>
            <td>{change ? <>{before !== undefined && <del>{before}</del>} {after !== undefined && <ins>{after}</ins>}</> : before}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Content({ details }: { details: EventDetails }) {
  if (details.content === undefined)
    return <p className="notice warn">The content was not kept: of {bytes(details.size ?? 0)} at most 64 KB are.</p>;
  const data = Uint8Array.from(atob(details.content), (one) => one.charCodeAt(0));
  const name = details.attributes?.["filename"] ?? details.flowfile;
  return (
    <div className="event-content">
      <div className="bar"><span className="muted">{bytes(data.length)} as it came</span><span className="spacer" /><Button icon={Download} onClick={() => save(data, name)}>Download</Button></div>
      {data.length ? <BytesView label="Content" data={data} /> : <p className="muted">Empty.</p>}
    </div>
  );
}

function save(data: Uint8Array<ArrayBuffer>, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
