import { MousePointerClick, Waypoints } from "lucide-react";
import { useShallow } from "zustand/shallow";
import { mayEdit } from "../../api/client";
import { find, kindOf } from "../../document/tree";
import type { Connection, DrawnKind, Processor } from "../../document/types";
import { useDocument } from "../../state/document-store";
import { useUi } from "../../state/ui-store";
import type { InspectorTab } from "../../state/ui-store";
import { Empty } from "../../ui/empty";
import { Tabs } from "../../ui/tabs";
import { About } from "./about";
import { ConnectionForm } from "./connection-form";
import { JsonTab } from "./json-tab";
import { NodeHead } from "./node-head";
import { PartForm } from "./part-form";
import { PropertyForm } from "./property-form";
import { Relationships } from "./relationships";
import { Scheduling } from "./scheduling";
import { Selection } from "./selection";
import { Settings } from "./settings";
import { WindowFigures } from "./window-figures";

/** What is selected, to look at and to change. */
export function Inspector() {
  const { nodes, edges } = useUi(useShallow((ui) => ({ nodes: [...ui.nodes].join("\n"), edges: [...ui.edges].join("\n") })));
  const ids = nodes ? nodes.split("\n") : [];
  const wires = edges ? edges.split("\n") : [];
  return (
    <aside className="inspector" aria-label="Inspector">
      {ids.length === 1 && !wires.length ? <Component key={nodes} id={nodes} /> : ids.length > 1 ? <Selection ids={ids} /> : wires.length === 1 ? <Wire key={edges} id={edges} /> : <Nothing />}
    </aside>
  );
}

function Nothing() {
  const description = useDocument((state) => state.document?.description);
  const empty = useDocument((state) => !Object.keys(state.document?.processors ?? {}).length && !Object.keys(state.document?.groups ?? {}).length);
  if (empty)
    return (
      <Empty icon={Waypoints} title="An empty flow">
        Drag a source from the palette to the canvas, then what shall happen to its FlowFiles, and draw a wire from one to the other. Ctrl+K does it by keyboard.
      </Empty>
    );
  return (
    <Empty icon={MousePointerClick} title="Nothing is selected">
      {description || "Click a component or a connection to see and change it."}
    </Empty>
  );
}

function Component({ id }: { id: string }) {
  const kind = useDocument((state) => (state.document ? kindOf(state.document, id) : undefined));
  if (!kind) return null;
  return kind === "processors" ? <ProcessorPanel id={id} /> : <PartPanel id={id} kind={kind} />;
}

const TABS = [
  { id: "properties", title: "Properties" },
  { id: "relationships", title: "Relationships" },
  { id: "scheduling", title: "Scheduling" },
  { id: "settings", title: "Settings" },
  { id: "json", title: "JSON" },
  { id: "about", title: "Help" },
] as const satisfies readonly { id: InspectorTab; title: string }[];

function ProcessorPanel({ id }: { id: string }) {
  const tab = useUi((ui) => ui.inspector);
  const show = useUi((ui) => ui.show);
  const processor = useDocument((state) => state.document && (find(state.document, "processors", id) as unknown as Processor | undefined));
  const count = useDocument((state) => state.problems.filter((one) => one.component === id).length);
  if (!processor) return null;
  const tabs = TABS.map((one) => (one.id === "properties" ? { ...one, badge: count } : one));
  return (
    <>
      <NodeHead id={id} processor={processor} />
      <Tabs label="Processor" tabs={tabs} chosen={tab} onChoose={(inspector) => show({ inspector })} />
      <div className="panel-body" role="tabpanel" aria-label={tab} tabIndex={-1}>
        {tab === "properties" && <WindowFigures id={id} />}
        {tab === "properties" && <PropertyForm kind="processors" id={id} type={processor.type} properties={processor.properties ?? {}} />}
        <fieldset disabled={!mayEdit} className="plain">
          {tab === "relationships" && <Relationships id={id} processor={processor} />}
          {tab === "scheduling" && <Scheduling id={id} processor={processor} />}
          {tab === "settings" && <Settings id={id} processor={processor} />}
        </fieldset>
        {tab === "json" && <JsonTab kind="processors" id={id} />}
        {tab === "about" && <About id={id} type={processor.type} />}
      </div>
    </>
  );
}

function PartPanel({ id, kind }: { id: string; kind: DrawnKind }) {
  return (
    <>
      <header className="inspector-head">
        <h2>{id.split("/").at(-1)}</h2>
        <p className="muted">{kind.replace(/s$/, "")}</p>
      </header>
      <div className="panel-body">
        <PartForm id={id} kind={kind} />
      </div>
    </>
  );
}

function Wire({ id }: { id: string }) {
  const connection = useDocument((state) => state.document && (find(state.document, "connections", id) as unknown as Connection | undefined));
  return connection ? <ConnectionForm id={id} connection={connection} /> : null;
}
