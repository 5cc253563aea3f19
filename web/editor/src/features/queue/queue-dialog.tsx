import { Download, FlaskConical, Inbox, RefreshCw, Route, Trash2 } from "lucide-react";
import { useState } from "react";
import { mayOperate } from "../../api/client";
import { runnerApi } from "../../api/runner";
import type { Listing, QueuedFlowFile } from "../../api/runner";
import { bytes, span } from "../../document/format";
import { useDocument } from "../../state/document-store";
import { useSample } from "../../state/sample-store";
import { showLineage } from "../../state/provenance-store";
import { useUi } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Empty } from "../../ui/empty";
import { attempt } from "../../ui/report";
import { useAnswer } from "../../ui/use-answer";
import { ContentView } from "./content-view";

/** What waits in one connection: the next hundred or the newest, one of them in full. */
export function QueueDialog({ connection }: { connection: string }) {
  const flow = useDocument((state) => state.flow);
  const show = useUi((ui) => ui.show);
  const [newest, setNewest] = useState(false);
  const [filter, setFilter] = useState("");
  const [round, setRound] = useState(0);
  const [chosen, setChosen] = useState<QueuedFlowFile>();
  const [sure, setSure] = useState(false);
  const key = `${flow} ${connection} ${newest} ${filter.includes("=") ? filter : ""} ${round}`;
  const listing = useAnswer(() => attempt(runnerApi.queue(flow, connection, newest, filter)), key);
  const empty = async () => {
    const done = await attempt(runnerApi.empty(flow, connection));
    if (done) useUi.getState().toast(`Dropped ${done.dropped} FlowFiles`, "good");
    setSure(false);
    setChosen(undefined);
    setRound(round + 1);
  };
  return (
    <Dialog title={`Queue ${connection}`} size="large" onClose={() => show({ dialog: undefined })}>
      <div className="bar">
        <label>
          <input type="radio" name="order" checked={!newest} onChange={() => setNewest(false)} /> next first
        </label>
        <label>
          <input type="radio" name="order" checked={newest} onChange={() => setNewest(true)} /> newest first
        </label>
        <input type="search" aria-label="Filter by attribute" placeholder="attribute=value" value={filter} onChange={(event) => setFilter(event.target.value)} />
        <Button icon={RefreshCw} onClick={() => setRound(round + 1)}>Refresh</Button>
        <span className="spacer" />
        {listing && <span className="muted">{listing.flowfiles.length} of {listing.queued} shown</span>}
        {mayOperate && !sure && <Button icon={Trash2} disabled={!listing?.queued} onClick={() => setSure(true)}>Empty …</Button>}
        {sure && (
          <span className="notice warn inline" role="alert">
            Throw away {listing?.queued} FlowFiles?
            <Button tone="danger" onClick={() => void empty()}>Throw away</Button>
            <Button onClick={() => setSure(false)}>Keep</Button>
          </span>
        )}
      </div>
      {listing?.flowfiles.length ? (
        <div className="split">
          <Table listing={listing} chosen={chosen} onChoose={setChosen} />
          {chosen ? <Details key={chosen.uuid} connection={connection} flowfile={chosen} /> : <Empty icon={Inbox} title="Choose a FlowFile">Its attributes and content are shown here.</Empty>}
        </div>
      ) : (
        <Empty icon={Inbox} title={listing ? "Nothing waits here" : "Asking …"}>A queue can be looked into while its flow runs.</Empty>
      )}
    </Dialog>
  );
}

interface TableProps {
  listing: Listing;
  chosen: QueuedFlowFile | undefined;
  onChoose: (flowfile: QueuedFlowFile) => void;
}

function Table({ listing, chosen, onChoose }: TableProps) {
  return (
    <div className="table-frame" tabIndex={0} role="group" aria-label="FlowFiles">
      <table>
        <thead>
          <tr><th>#</th><th>FlowFile</th><th>Size</th><th>Waits</th></tr>
        </thead>
        <tbody>
          {listing.flowfiles.map((one) => (
            <tr key={one.uuid} className={one.uuid === chosen?.uuid ? "chosen" : ""} onClick={() => onChoose(one)}>
              <td>{one.place + 1}</td>
              <td>
                <button type="button" className="link" onClick={() => onChoose(one)}>
                  {one.attributes["filename"] ?? one.uuid}
                </button>
                {one.penalty_until ? <em className="tag">penalized</em> : null}
              </td>
              <td>{bytes(one.size)}</td>
              <td>{span(one.age)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Details({ connection, flowfile }: { connection: string; flowfile: QueuedFlowFile }) {
  const flow = useDocument((state) => state.flow);
  const where = runnerApi.contentAddress(flow, connection, flowfile.uuid);
  const take = () => {
    const name = flowfile.attributes["filename"] ?? flowfile.uuid;
    useSample.setState({ sample: { attributes: flowfile.attributes, name, from: `of ${connection}` } });
    useUi.getState().toast(`Expressions are now tried with ${name}`, "good");
  };
  return (
    <div className="details">
      <div className="bar">
        <code>{flowfile.uuid}</code>
        <span className="spacer" />
        <Button icon={Route} onClick={() => void showLineage(flowfile.uuid)}>Lineage</Button>
        <Button icon={FlaskConical} onClick={take} title="Expressions are tried with its attributes">Use as sample</Button>
        <a className="button plain" href={where} download>
          <Download size={15} aria-hidden /> Download
        </a>
      </div>
      <table className="attributes">
        <tbody>
          {Object.entries(flowfile.attributes).map(([name, value]) => (
            <tr key={name}><th scope="row">{name}</th><td>{value}</td></tr>
          ))}
        </tbody>
      </table>
      <ContentView where={where} size={flowfile.size} />
    </div>
  );
}
