import { useState } from "react";
import type { Setting } from "../../api/kafka";

/** A topic's configuration; what was set for it comes first. */
export function Settings({ settings }: { settings: Setting[] }) {
  const [text, setText] = useState("");
  const found = settings.filter((one) => one.name.includes(text.trim().toLowerCase()));
  const shown = [...found].sort((a, b) => Number(a.default) - Number(b.default) || a.name.localeCompare(b.name));
  return (
    <>
      <div className="bar">
        <input type="search" className="kafka-filter" aria-label="Search settings" placeholder="Search settings" value={text} onChange={(event) => setText(event.target.value)} />
        <span className="muted">{settings.filter((one) => !one.default).length} set for this topic, the others as the cluster has them</span>
      </div>
      <div className="table-frame" tabIndex={0} role="group" aria-label="Settings">
        <table>
          <thead>
            <tr><th scope="col">Setting</th><th scope="col">Value</th><th scope="col">Comes from</th></tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <tr key={one.name}>
                <th scope="row"><code>{one.name}</code></th>
                <td>{one.sensitive ? <em>secret</em> : one.value === "" || one.value === null ? <em className="muted">empty</em> : <code>{one.value}</code>}</td>
                <td>{one.default ? <span className="muted">default</span> : <b>this topic</b>}{one.read_only && <span className="muted"> · cannot be changed</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
