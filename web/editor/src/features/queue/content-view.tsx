import { useState } from "react";
import { contentStart } from "../../api/runner";
import { bytes } from "../../document/format";
import { Tabs } from "../../ui/tabs";
import { useAnswer } from "../../ui/use-answer";
import { asHex, asJson, asTable } from "./content";
import { JsonTree } from "./json-tree";

const MOST = 64 << 10;
type View = "json" | "table" | "text" | "hex";

/** The first 64 KB of a content, by choice. It is text only: never a page. */
export function ContentView({ where, size }: { where: string; size: number }) {
  const [view, setView] = useState<View>();
  const data = useAnswer(() => contentStart(where, Math.min(size || 1, MOST)).catch((error: Error) => error.message), where);
  if (data === undefined) return <p className="muted">Reading …</p>;
  if (typeof data === "string") return <p className="notice bad">{data}</p>;
  const text = new TextDecoder().decode(data);
  const [json, table] = [asJson(text), asTable(text)];
  const tabs = [
    ...(json === undefined ? [] : [{ id: "json" as const, title: "JSON" }]),
    ...(table ? [{ id: "table" as const, title: "Table" }] : []),
    { id: "text" as const, title: "Text" },
    { id: "hex" as const, title: "Hex" },
  ];
  const shown = view ?? tabs[0]?.id ?? "text";
  return (
    <section aria-label="Content" className="content">
      <Tabs label="View of the content" tabs={tabs} chosen={shown} onChoose={setView} />
      {text.includes("\ufffd") && shown === "text" && <p className="notice">Not all of it is UTF-8 text: see Hex.</p>}
      {size > MOST && <p className="notice warn">The first {bytes(MOST)} of {bytes(size)}: download it to see the rest.</p>}
      {shown === "table" && table ? (
        <Records {...table} />
      ) : shown === "json" && json ? (
        <div className="tree" tabIndex={0} role="group" aria-label="JSON">{json.map((value, index) => <JsonTree key={index} value={value} {...(json.length > 1 && { name: String(index) })} />)}</div>
      ) : (
        <pre tabIndex={0}>{shown === "hex" ? asHex(data) : text}</pre>
      )}
    </section>
  );
}

function Records({ columns, rows }: { columns: string[]; rows: string[][] }) {
  return (
    <div className="table-frame" tabIndex={0} role="group" aria-label="Records">
      <table>
        <thead>
          <tr>{columns.map((name) => <th key={name}>{name}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>{row.map((cell, column) => <td key={column}>{cell}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
