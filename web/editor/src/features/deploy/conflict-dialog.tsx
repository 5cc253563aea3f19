import { useState } from "react";
import type { Conflict } from "../../api/flows";
import type { Json } from "../../document/types";
import { settle, useDocument } from "../../state/document-store";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";

type Side = "mine" | "theirs";

/** The same thing was changed twice: whose is it? Nothing is lost whichever is taken. */
export function ConflictDialog() {
  const conflicts = useDocument((state) => state.conflicts);
  const [choices, setChoices] = useState<Record<number, Side>>({});
  const sides = conflicts.map((_, index) => choices[index] ?? "theirs");
  return (
    <Dialog
      title="Somebody else changed the same"
      size="medium"
      onClose={() => void settle(sides)}
      footer={<Button tone="primary" onClick={() => void settle(sides)}>Take what is marked</Button>}
    >
      {conflicts.map((conflict, index) => (
        <fieldset key={index} className="choices">
          <legend>{subject(conflict)}</legend>
          {(["theirs", "mine"] as const).map((side) => (
            <label key={side} className="choice">
              <input type="radio" name={`conflict-${index}`} checked={sides[index] === side} onChange={() => setChoices({ ...choices, [index]: side })} />
              <span>
                <b>{side === "mine" ? "Mine" : "Theirs"}</b>
                <code>{shown(conflict[side])}</code>
              </span>
            </label>
          ))}
        </fieldset>
      ))}
    </Dialog>
  );
}

function subject({ op }: Conflict): string {
  if (op.op === "move") return `position of ${Object.keys(op.positions).join(", ")}`;
  return op.op === "set" ? `${op.id} ${op.path.join(".")}` : `${op.op} ${op.id}`;
}

function shown(value: Json): string {
  const text = value === null ? "not there" : typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)} …` : text;
}
