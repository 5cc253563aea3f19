import { useState } from "react";
import { find, same } from "../../document/tree";
import type { Json, Kind } from "../../document/types";
import { mayEdit } from "../../api/client";
import { act, useDocument } from "../../state/document-store";
import { Button } from "../../ui/button";

/** The same thing as it stands in the file. */
export function JsonTab({ kind, id }: { kind: Kind; id: string }) {
  const document = useDocument((state) => state.document);
  const value = document ? find(document, kind, id) : undefined;
  const text = JSON.stringify(value, null, 2);
  const [edited, setEdited] = useState<string>();
  const [wrong, setWrong] = useState("");
  const apply = () => {
    if (!document || edited === undefined) return;
    try {
      replace(kind, id, value as Record<string, Json>, JSON.parse(edited) as Record<string, Json>);
      setEdited(undefined);
      setWrong("");
    } catch (error) {
      setWrong((error as Error).message);
    }
  };
  return (
    <div className="form">
      <textarea className="code tall" aria-label="JSON" spellCheck={false} readOnly={!mayEdit} value={edited ?? text} onChange={(event) => setEdited(event.target.value)} onKeyDown={(event) => event.stopPropagation()} />
      {wrong && <p className="field-error" role="alert">{wrong}</p>}
      <div className="bar">
        <Button tone="primary" disabled={edited === undefined || edited === text} onClick={apply}>Apply</Button>
        <Button disabled={edited === undefined} onClick={() => setEdited(undefined)}>Take back</Button>
      </div>
    </div>
  );
}

/** One operation for each key that differs, so that others' edits of other keys merge. */
function replace(kind: Kind, id: string, old: Record<string, Json>, next: Record<string, Json>): void {
  if (!next || typeof next !== "object" || Array.isArray(next)) throw new Error("must be an object");
  const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])].filter((key) => !same(old[key], next[key]));
  act(`edit ${id}`, keys.map((key) => ({ op: "set", kind, id, path: [key], value: next[key] ?? null, before: old[key] ?? null })));
}
