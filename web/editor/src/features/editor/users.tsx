import { kindOf } from "../../document/tree";
import { useDocument } from "../../state/document-store";
import { reveal } from "../../state/ui-store";

const SHOWN = 6;

/** Components that refer to something; a click leads there. */
export function Users({ ids }: { ids: string[] }) {
  if (!ids.length) return <span className="muted">nobody</span>;
  return (
    <span className="users">
      {ids.slice(0, SHOWN).map((id) => <User key={id} id={id} />)}
      {ids.length > SHOWN && <span className="muted">and {ids.length - SHOWN} more</span>}
    </span>
  );
}

function User({ id }: { id: string }) {
  const drawn = useDocument((state) => !!state.document && !!kindOf(state.document, id));
  return drawn ? <button type="button" className="link" onClick={() => reveal(id)}>{id}</button> : <span>{id}</span>;
}
