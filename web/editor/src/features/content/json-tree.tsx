import type { Json } from "../../document/types";

const MOST = 200;

/** A JSON value that opens and closes. The browser's own disclosure: keys and screen readers know it. */
export function JsonTree({ value, name, depth = 0 }: { value: Json; name?: string; depth?: number }) {
  if (value === null || typeof value !== "object") return <div className="json-leaf"><Name name={name} /> <Scalar value={value} /></div>;
  const entries = Object.entries(value);
  const list = Array.isArray(value);
  const size = list ? `[${entries.length}]` : `{${entries.length}}`;
  return (
    <details className="json-branch" open={depth < 2}>
      <summary><Name name={name} /> <span className="muted">{size}</span></summary>
      <div className="json-inside">
        {entries.slice(0, MOST).map(([key, inner]) => <JsonTree key={key} name={key} value={inner} depth={depth + 1} />)}
        {entries.length > MOST && <div className="json-leaf muted">… {entries.length - MOST} more: see the text</div>}
      </div>
    </details>
  );
}

function Name({ name }: { name: string | undefined }) {
  return name === undefined ? null : <span className="json-name">{name}:</span>;
}

function Scalar({ value }: { value: string | number | boolean | null }) {
  const kind = value === null ? "null" : typeof value;
  return <span className={`json-${kind}`}>{JSON.stringify(value)}</span>;
}
