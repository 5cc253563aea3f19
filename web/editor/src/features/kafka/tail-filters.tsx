import { Play } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";
import { Button } from "../../ui/button";
import { wrongIn } from "./tail";
import type { Filters } from "./tail";

interface Props {
  partitions: number;
  filters: Filters;
  onRead: (filters: Filters) => void;
}

const STARTS = { end: "now: new records", beginning: "the beginning", offset: "an offset", time: "a time" } as const;

/** From where to read, and which records. */
export function TailFilters({ partitions, filters, onRead }: Props) {
  const [own, setOwn] = useState(filters);
  const change = (part: Partial<Filters>) => setOwn({ ...own, ...part });
  const wrong = wrongIn(own);
  const text = (name: "key" | "header" | "path" | "equals", placeholder: string) => (
    <input type="text" autoComplete="off" placeholder={placeholder} value={own[name]} onChange={(event) => change({ [name]: event.target.value })} />
  );
  return (
    <form
      className="tail-filters"
      aria-label="Filters"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) onRead(own);
      }}
    >
      <Labelled title="From">
        <select value={own.from} onChange={(event) => change({ from: event.target.value as Filters["from"] })}>
          {Object.entries(STARTS).map(([from, title]) => <option key={from} value={from}>{title}</option>)}
        </select>
      </Labelled>
      {own.from === "offset" && <Labelled title="Offset"><input type="text" inputMode="numeric" value={own.offset} onChange={(event) => change({ offset: event.target.value })} /></Labelled>}
      {own.from === "time" && <Labelled title="Time"><input type="datetime-local" step={1} value={own.time} onChange={(event) => change({ time: event.target.value })} /></Labelled>}
      <Labelled title="Partition">
        <select value={own.partition} onChange={(event) => change({ partition: event.target.value })}>
          <option value="">all</option>
          {Array.from({ length: partitions }, (_, number) => <option key={number}>{number}</option>)}
        </select>
      </Labelled>
      <Labelled title="Key">{text("key", "any")}</Labelled>
      <Labelled title="Header">{text("header", "name=value")}</Labelled>
      <Labelled title="JSON path">{text("path", "$.address.city")}</Labelled>
      <Labelled title="equals">{text("equals", "any value")}</Labelled>
      <Button type="submit" tone="primary" icon={Play} disabled={!!wrong}>Read</Button>
      {wrong && <p className="field-error" role="alert">{wrong}</p>}
    </form>
  );
}

function Labelled({ title, children }: { title: string; children: ReactNode }) {
  return <label><span>{title}</span>{children}</label>;
}
