import { Copy, DoorOpen, Download, FilePlus2, Play, Search, Square, Trash2, Upload, Workflow } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { address, boot, mayEdit, mayOperate } from "../../api/client";
import { flowsApi } from "../../api/flows";
import type { FlowSummary } from "../../api/flows";
import { EXAMPLES } from "../../document/examples";
import type { ExampleFlow } from "../../document/examples";
import { slugify } from "../../document/tree";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Empty } from "../../ui/empty";
import { attempt } from "../../ui/report";
import { followLink, go, hrefOf } from "../../ui/router";
import { StateIcon } from "../../ui/state-icon";
import { ThemeButton } from "../../ui/theme-button";
import { useFlows } from "./use-flows";

export function FlowsPage() {
  const { flows, reload } = useFlows();
  const [text, setText] = useState("");
  const [creating, setCreating] = useState<{ source?: FlowSummary; text?: string; id?: string }>();
  const shown = (flows ?? []).filter((flow) => `${flow.id} ${flow.name} ${flow.description}`.toLowerCase().includes(text.toLowerCase()));
  useEffect(() => {
    document.title = "Flows";
  }, []);
  return (
    <div className="list-page">
      <header className="toolbar">
        <span className="home"><Workflow size={18} aria-hidden /></span>
        <h1>Flows</h1>
        <label className="search">
          <Search size={14} aria-hidden />
          <input type="search" aria-label="Search flows" placeholder="Search flows" value={text} onChange={(event) => setText(event.target.value)} />
        </label>
        <span className="spacer" />
        {mayEdit && <Import onText={(id, imported) => setCreating({ id, text: imported })} />}
        {mayEdit && <Button tone="primary" icon={FilePlus2} onClick={() => setCreating({})}>New flow</Button>}
        <ThemeButton />
        {boot.user && boot.user !== "local" && <LogOut />}
      </header>
      <main className="cards">
        {shown.map((flow) => <FlowCard key={flow.id} flow={flow} reload={reload} onCopy={() => setCreating({ source: flow, id: `${flow.id}-copy` })} />)}
        {flows && !shown.length && <Empty icon={Workflow} title={flows.length ? `No flow is called “${text}”` : "No flows yet"}>A flow reads, changes and delivers records. Make one, import a file, or begin with an example.</Empty>}
        {flows && mayEdit && !text && <Examples taken={flows.map((flow) => flow.id)} onTake={(example, id) => setCreating({ id, text: JSON.stringify(example.definition, null, 2) })} />}
      </main>
      <footer className="foot">flowengine {boot.version} {boot.user && `· ${boot.user} (${boot.role})`}</footer>
      {creating && <NewFlow {...creating} onClose={() => setCreating(undefined)} />}
    </div>
  );
}

/** Flows to copy and to try things with. */
function Examples({ taken, onTake }: { taken: string[]; onTake: (example: ExampleFlow, id: string) => void }) {
  const free = (id: string, number = 2): string => (!taken.includes(id) ? id : !taken.includes(`${id}-${number}`) ? `${id}-${number}` : free(id, number + 1));
  return (
    <section className="examples" aria-label="Examples">
      <h2>Examples to copy</h2>
      <div className="example-cards">
        {EXAMPLES.map((one) => (
          <button key={one.id} type="button" className="example-card" onClick={() => onTake(one, free(one.id))}>
            <b>{one.title}</b>
            <small>{one.about}</small>
          </button>
        ))}
      </div>
    </section>
  );
}

function LogOut() {
  return (
    <form method="post" action={address("logout")}>
      <Button icon={DoorOpen} type="submit">Log out</Button>
    </form>
  );
}

function FlowCard({ flow, reload, onCopy }: { flow: FlowSummary; reload: () => void; onCopy: () => void }) {
  const running = flow.state === "running" || flow.state === "starting";
  const [sure, setSure] = useState(false);
  const run = (work: Promise<unknown>) => void attempt(work).then(reload);
  return (
    <article className="flow-card" data-testid={`flow-${flow.id}`}>
      <div className="card-head">
        <StateIcon state={flow.state} size={16} />
        <a href={hrefOf(`flows/${flow.id}`)} onClick={(event) => followLink(event, `flows/${flow.id}`)}>{flow.name || flow.id}</a>
        <span className={`run-state state-${flow.state}`}>{flow.state}</span>
      </div>
      <p>{flow.description || <span className="muted">No description.</span>}</p>
      {flow.state === "failed" && flow.reason && <p className="notice bad">{flow.reason}</p>}
      <div className="tags">
        {running && <span className="tag">{flow.queued ?? 0} queued</span>}
        {!!flow.errors && <span className="tag error">{flow.errors} problems</span>}
        {!!flow.bulletins && <span className="tag warning">{flow.bulletins} bulletins</span>}
        {flow.draft_ahead && <span className="tag info">draft not deployed</span>}
        {flow.file_ahead && <span className="tag info">file changed</span>}
      </div>
      <div className="bar">
        {mayOperate && (running ? <Button icon={Square} onClick={() => run(flowsApi.stop(flow.id, true))}>Stop</Button> : <Button icon={Play} onClick={() => run(flowsApi.start(flow.id))}>Start</Button>)}
        <span className="spacer" />
        {mayEdit && <IconButton icon={Copy} label={`Copy ${flow.id}`} onClick={onCopy} />}
        <IconButton icon={Download} label={`Export ${flow.id}`} onClick={() => void attempt(flowsApi.read(flow.id)).then((found) => found && save(`${flow.id}.json`, found.text))} />
        {mayEdit && !running && <IconButton icon={Trash2} label={`Delete ${flow.id}`} onClick={() => setSure(true)} />}
      </div>
      {sure && (
        <Dialog title={`Delete ${flow.id}?`} onClose={() => setSure(false)} footer={<><Button onClick={() => setSure(false)}>Keep</Button><Button tone="danger" onClick={() => { setSure(false); run(flowsApi.remove(flow.id)); }}>Delete</Button></>}>
          <p>Its file and draft go; deployed versions and data stay on the server.</p>
        </Dialog>
      )}
    </article>
  );
}

function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function Import({ onText }: { onText: (id: string, text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const read = async (file: File | undefined) => {
    if (file) onText(slugify(file.name.replace(/\.json$/, "")), await file.text());
    if (input.current) input.current.value = "";
  };
  return (
    <>
      <input ref={input} type="file" accept=".json,application/json" hidden aria-label="Flow file" onChange={(event) => void read(event.target.files?.[0])} />
      <Button icon={Upload} onClick={() => input.current?.click()}>Import</Button>
    </>
  );
}

/** An empty flow, a copy of another, or a file's. */
function NewFlow({ source, text, id = "", onClose }: { source?: FlowSummary; text?: string; id?: string; onClose: () => void }) {
  const [name, setName] = useState(id);
  const create = async () => {
    const content = source ? (await flowsApi.read(source.id)).text : text;
    const done = await attempt(flowsApi.create(name, content));
    if (done === undefined) return;
    onClose();
    go(`flows/${name}`);
  };
  const title = source ? `Copy ${source.name}` : text ? "Import flow" : "New flow";
  return (
    <Dialog title={title} onClose={onClose} footer={<><Button onClick={onClose}>Cancel</Button><Button tone="primary" disabled={!name} onClick={() => void create()}>Create</Button></>}>
      <form className="form" onSubmit={(event) => { event.preventDefault(); void create(); }}>
        <div className="field">
          <label className="field-title" htmlFor="flow-id">Id</label>
          <input id="flow-id" type="text" data-focus value={name} placeholder="orders-to-lake" onChange={(event) => setName(event.target.value)} onBlur={() => setName(slugify(name))} />
          <p className="help">Letters, digits, - and _; also the name of its file.</p>
        </div>
      </form>
    </Dialog>
  );
}
