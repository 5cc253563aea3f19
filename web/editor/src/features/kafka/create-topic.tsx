import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import type { KafkaApi } from "../../api/kafka";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { attempt } from "../../ui/report";

const NAME = /^[A-Za-z0-9._-]{1,249}$/;

/** Name, partitions, copies and settings of a new topic; what will be made is said before. */
export function CreateTopic({ api, brokers, onClose }: { api: KafkaApi; brokers: number; onClose: (made: string) => void }) {
  const [name, setName] = useState("");
  const [partitions, setPartitions] = useState(3);
  const [copies, setCopies] = useState(Math.min(brokers, 3) || 1);
  const [settings, setSettings] = useState<[string, string][]>([]);
  const [busy, setBusy] = useState(false);
  const wrong = name && !NAME.test(name) ? "A name has letters, digits, dots, - and _ only." : copies > brokers ? `There are only ${brokers} brokers to keep copies.` : "";
  const ready = name && !wrong && partitions > 0 && copies > 0 && !busy;
  const create = async () => {
    if (!ready) return;
    setBusy(true);
    const config = Object.fromEntries(settings.filter(([key]) => key.trim()).map(([key, value]) => [key.trim(), value]));
    const made = await attempt(api.createTopic({ name, partitions, replication_factor: copies, config }).then(() => true), `Topic ${name} is made`);
    setBusy(false);
    if (made) onClose(name);
  };
  return (
    <Dialog
      title="New topic"
      size="medium"
      onClose={() => onClose("")}
      footer={<><Button onClick={() => onClose("")}>Cancel</Button><Button tone="primary" icon={Plus} disabled={!ready} onClick={() => void create()}>Create</Button></>}
    >
      <form className="form" onSubmit={(event) => { event.preventDefault(); void create(); }}>
        <div className="field">
          <label className="field-title" htmlFor="topic-name">Name</label>
          <input id="topic-name" type="text" data-focus autoComplete="off" value={name} aria-invalid={!!wrong} aria-describedby="topic-wrong" onChange={(event) => setName(event.target.value)} />
          <p id="topic-wrong" className="field-error">{wrong}</p>
        </div>
        <div className="kafka-pair">
          <Amount id="topic-partitions" label="Partitions" value={partitions} onChange={setPartitions} help="At most so many members of a group can share the work. It can grow later, but keys move then." />
          <Amount id="topic-copies" label="Copies of each" value={copies} onChange={setCopies} help={brokers > 1 ? `At most ${brokers}: one for each broker.` : "One broker keeps one copy."} />
        </div>
        <div className="field">
          <span className="field-title">Settings</span>
          <div className="entries">
            {settings.map(([key, value], index) => {
              const change = (entry: [string, string]) => setSettings(settings.map((one, at) => (at === index ? entry : one)));
              return (
                <div key={index} className="entry pair">
                  <input type="text" aria-label="Setting" placeholder="retention.ms" value={key} onChange={(event) => change([event.target.value, value])} />
                  <input type="text" aria-label="Value" value={value} onChange={(event) => change([key, event.target.value])} />
                  <IconButton icon={Trash2} label="Remove setting" onClick={() => setSettings(settings.filter((_, at) => at !== index))} />
                </div>
              );
            })}
            <Button icon={Plus} onClick={() => setSettings([...settings, ["", ""]])}>Add a setting</Button>
          </div>
        </div>
        {ready && <p className="notice">{name} will have {partitions} × {copies} = {partitions * copies} pieces on {brokers === 1 ? "the one broker" : `${brokers} brokers`}.</p>}
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}

interface AmountProps {
  id: string;
  label: string;
  value: number;
  help: string;
  onChange: (value: number) => void;
}

function Amount({ id, label, value, help, onChange }: AmountProps) {
  return (
    <div className="field">
      <label className="field-title" htmlFor={id}>{label}</label>
      <input id={id} type="number" min={1} max={10_000} value={value || ""} aria-describedby={`${id}-help`} onChange={(event) => onChange(Math.floor(Number(event.target.value)))} />
      <p id={`${id}-help`} className="help">{help}</p>
    </div>
  );
}
