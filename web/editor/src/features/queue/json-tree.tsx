import type { Json } from "../../document/types";

const OPEN_TO = 2;
const MOST = 500;

/** JSON that can be folded. It is text only, so nothing in it is ever run. */
export function JsonTree({ value, name, depth = 0 }: { value: Json; name?: string; depth?: number }) {
  if (value === null || typeof value !== "object") return <Leaf name={name} value={value} />;
  const entries = Object.entries(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (!entries.length) return <div className="json-leaf">{name !== undefined && <Key name={name} />}<i>{open}{close}</i></div>;
  return (
    <details className="json" open={depth < OPEN_TO}>
      <summary>
        {name !== undefined && <Key name={name} />}
        <i>{open} {entries.length} {close}</i>
      </summary>
      {entries.slice(0, MOST).map(([key, inner]) => <JsonTree key={key} name={key} value={inner} depth={depth + 1} />)}
      {entries.length > MOST && <p className="muted">… and {entries.length - MOST} more</p>}
    </details>
  );
}

function Key({ name }: { name: string }) {
  return <b>{name}: </b>;
}

function Leaf({ name, value }: { name: string | undefined; value: Exclude<Json, object> | null }) {
  const kind = value === null ? "null" : typeof value;
  return (
    <div className="json-leaf">
      {name !== undefined && <Key name={name} />}
      <span className={`json-${kind}`}>{kind === "string" ? JSON.stringify(value) : String(value)}</span>
    </div>
  );
}
