import "./content.css";
import { useState } from "react";
import type { Json } from "../../document/types";
import { asHex } from "../queue/content";
import { JsonTree } from "../queue/json-tree";
import { Tabs } from "../../ui/tabs";

type View = "json" | "text" | "hex";

/** Bytes that are at hand: as a JSON tree where they are JSON, as text, as hex. Never as a page. */
export function BytesView({ data, label }: { data: Uint8Array; label: string }) {
  const [view, setView] = useState<View>();
  const text = new TextDecoder().decode(data);
  const json = parsed(text);
  const tabs = [...(json === undefined ? [] : [{ id: "json" as const, title: "JSON" }]), { id: "text" as const, title: "Text" }, { id: "hex" as const, title: "Hex" }];
  const shown = view ?? (json !== undefined ? "json" : isText(text) ? "text" : "hex");
  return (
    <section className="bytes-view" aria-label={label}>
      <Tabs label={`View of the ${label.toLowerCase()}`} tabs={tabs} chosen={shown} onChoose={setView} />
      {shown === "json" && json !== undefined && <div className="json-tree"><JsonTree value={json} /></div>}
      {shown === "text" && <pre tabIndex={0}>{text}</pre>}
      {shown === "hex" && <pre tabIndex={0}>{asHex(data)}</pre>}
    </section>
  );
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

const isText = (text: string) => !text.includes("\uFFFD");
