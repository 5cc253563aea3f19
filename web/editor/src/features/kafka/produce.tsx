import { Plus, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import type { KafkaApi, NewRecord, Topic, Written } from "../../api/kafka";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { attempt } from "../../ui/report";
import { wrongInValue } from "./values";

const ENCODINGS = { text: "Text", json: "JSON", hex: "Hex" } as const;

/** Write one record by hand, and another one. */
export function Produce({ api, topic, onClose }: { api: KafkaApi; topic: Topic; onClose: () => void }) {
  const [encoding, setEncoding] = useState<NewRecord["encoding"]>("text");
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const [none, setNone] = useState(false);
  const [partition, setPartition] = useState("");
  const [headers, setHeaders] = useState<[string, string][]>([]);
  const [written, setWritten] = useState<Written>();
  const [busy, setBusy] = useState(false);
  const wrong = none ? "" : wrongInValue(value, encoding);
  const send = async () => {
    if (wrong || busy) return;
    setBusy(true);
    const record: NewRecord = {
      key: key || null,
      value: none ? null : value,
      headers: Object.fromEntries(headers.filter(([name]) => name)),
      partition: partition === "" ? null : Number(partition),
      encoding,
    };
    const answer = await attempt(api.produce(topic.name, record));
    setBusy(false);
    if (answer) setWritten(answer);
  };
  return (
    <Dialog
      title={`Produce to ${topic.name}`}
      size="medium"
      onClose={onClose}
      footer={<><Button onClick={onClose}>Close</Button><Button tone="primary" icon={Send} disabled={!!wrong || busy} onClick={() => void send()}>{written ? "Send another" : "Send"}</Button></>}
    >
      <form className="form" onSubmit={(event) => { event.preventDefault(); void send(); }}>
        <div className="kafka-pair">
          <div className="field">
            <label className="field-title" htmlFor="record-key">Key</label>
            <input id="record-key" type="text" data-focus autoComplete="off" value={key} onChange={(event) => setKey(event.target.value)} />
            <p className="help">Empty: no key, and any partition.</p>
          </div>
          <div className="field">
            <label className="field-title" htmlFor="record-partition">Partition</label>
            <select id="record-partition" value={partition} onChange={(event) => setPartition(event.target.value)}>
              <option value="">by the key</option>
              {topic.partitions.map((one) => <option key={one.partition} value={one.partition}>{one.partition}</option>)}
            </select>
          </div>
        </div>
        <div className="field">
          <div className="field-title">
            <label htmlFor="record-value">Value</label>
            <span className="spacer" />
            {(Object.keys(ENCODINGS) as NewRecord["encoding"][]).map((one) => (
              <label key={one} className="kafka-radio"><input type="radio" name="encoding" checked={encoding === one} onChange={() => setEncoding(one)} /> {ENCODINGS[one]}</label>
            ))}
          </div>
          <textarea id="record-value" className="code" rows={7} disabled={none} value={value} aria-invalid={!!wrong} aria-describedby="record-wrong" onChange={(event) => setValue(event.target.value)} />
          <p id="record-wrong" className="field-error">{wrong}</p>
          <label className="kafka-check"><input type="checkbox" checked={none} onChange={(event) => setNone(event.target.checked)} /> No value: a tombstone, which deletes the key in a compacted topic</label>
        </div>
        <div className="field">
          <span className="field-title">Headers</span>
          <div className="entries">
            {headers.map(([name, text], index) => {
              const change = (entry: [string, string]) => setHeaders(headers.map((one, at) => (at === index ? entry : one)));
              return (
                <div key={index} className="entry pair">
                  <input type="text" aria-label="Header" value={name} onChange={(event) => change([event.target.value, text])} />
                  <input type="text" aria-label="Header value" value={text} onChange={(event) => change([name, event.target.value])} />
                  <IconButton icon={Trash2} label="Remove header" onClick={() => setHeaders(headers.filter((_, at) => at !== index))} />
                </div>
              );
            })}
            <Button icon={Plus} onClick={() => setHeaders([...headers, ["", ""]])}>Add a header</Button>
          </div>
        </div>
        <p className="notice" role="status">{written ? `Written to partition ${written.partition} at offset ${written.offset}.` : "The answer comes when the brokers have it: its partition and offset."}</p>
      </form>
    </Dialog>
  );
}
