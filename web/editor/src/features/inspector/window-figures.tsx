import { bytes, clock, count } from "../../document/format";
import { heldText, watermarkText } from "../../document/windows";
import type { WindowStatus } from "../../document/windows";
import { useLive } from "../../state/live-store";
import { reveal } from "../../state/ui-store";
import { WindowTimeline } from "../canvas/window-timeline";

const ROWS = 8;

/** Why a window has not closed yet, in full. */
export function WindowFigures({ id }: { id: string }) {
  const windows = useLive((live) => live.processors[id]?.windows);
  const asOf = useLive((live) => live.asOf);
  if (!windows) return null;
  const open = windows.open_count ?? windows.open?.length ?? 0;
  return (
    <section className="window-figures" aria-label="Windows">
      <h3>Windows by {windows.time} time</h3>
      <WindowTimeline windows={windows} width={352} height={44} />
      <p>{watermarkText(windows, asOf)}</p>
      <Held windows={windows} />
      <p className="muted">
        {count(open)} open{windows.bytes ? `, ${bytes(windows.bytes)} kept` : ""}
        {windows.late ? <span className="tag warning">{count(windows.late)} late</span> : null}
        {windows.invalid ? <span className="tag error">{count(windows.invalid)} invalid</span> : null}
      </p>
      {open > 0 && <OpenWindows windows={windows} />}
    </section>
  );
}

function Held({ windows }: { windows: WindowStatus }) {
  const held = windows.held_by;
  if (!held) return null;
  return (
    <p className="notice warn">
      {heldText(held)}{" "}
      <button type="button" className="link" onClick={() => reveal(held.id)}>show it</button>
    </p>
  );
}

function OpenWindows({ windows }: { windows: WindowStatus }) {
  const rows = (windows.open ?? []).slice(0, ROWS);
  const more = (windows.open_count ?? rows.length) - rows.length;
  return (
    <table>
      <thead>
        <tr><th>From</th><th>To</th><th>Keys</th><th>Records</th></tr>
      </thead>
      <tbody>
        {rows.map((one) => (
          <tr key={`${one.start} ${one.end}`}><td>{clock(one.start)}</td><td>{clock(one.end)}</td><td>{one.key_count ?? ""}</td><td>{one.records ?? ""}</td></tr>
        ))}
        {more > 0 && <tr><td colSpan={4} className="muted">and {count(more)} more</td></tr>}
      </tbody>
    </table>
  );
}
