import { Minus, Pencil, Plus } from "lucide-react";
import type { Change } from "../../api/flows";
import type { Json } from "../../document/types";

const ICONS = { added: Plus, removed: Minus, changed: Pencil };

/** Changes by component, then by property. */
export function ChangeList({ changes }: { changes: Change[] }) {
  const groups = new Map<string, Change[]>();
  for (const change of changes) {
    const name = change.component || "(flow)";
    groups.set(name, [...(groups.get(name) ?? []), change]);
  }
  if (!changes.length) return <p className="muted">No difference.</p>;
  return (
    <ul className="changes">
      {[...groups].map(([component, own]) => (
        <li key={component}>
          {own.map((change, index) => (
            <Row key={index} change={change} component={component} first={index === 0} />
          ))}
        </li>
      ))}
    </ul>
  );
}

function Row({ change, component, first }: { change: Change; component: string; first: boolean }) {
  const Icon = ICONS[change.kind];
  return (
    <div className={`change ${change.kind}`}>
      {(first || change.kind !== "changed") && (
        <div className="change-head">
          <Icon size={14} aria-hidden /> <b>{component}</b>
          <span className="tag">{change.type}</span> <span>{change.kind}</span>
        </div>
      )}
      {change.kind === "changed" && (
        <div className="change-row">
          <code>{change.property}</code>
          <del>{shown(change.before)}</del>
          <ins>{shown(change.after)}</ins>
        </div>
      )}
    </div>
  );
}

function shown(value: Json | undefined): string {
  if (value === undefined || value === null) return "not set";
  return typeof value === "string" ? value : JSON.stringify(value);
}
