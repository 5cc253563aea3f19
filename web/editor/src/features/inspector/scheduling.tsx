import { useShallow } from "zustand/shallow";
import { setValue } from "../../document/edits";
import type { Json, Processor } from "../../document/types";
import { act, useDocument } from "../../state/document-store";
import { TextRow } from "./row";

const STRATEGIES = { "": "as fast as possible", every: "timer", cron: "cron", once: "once per start" } as const;
type Strategy = keyof typeof STRATEGIES;

export function Scheduling({ id, processor }: { id: string; processor: Processor }) {
  const target = { kind: "processors", id } as const;
  const options = processor.scheduling ?? {};
  const strategy = (["every", "cron", "once"] as const).find((key) => options[key]) ?? "";
  const problems = useDocument(useShallow((state) => state.problems.filter((one) => one.component === id && one.property?.startsWith("scheduling"))));
  const choose = (chosen: Strategy) => {
    const { document } = useDocument.getState();
    if (!document) return;
    const { every: _, cron: __, once: ___, ...rest } = options;
    const added: Record<string, Json> = chosen === "every" ? { every: "1 sec" } : chosen === "cron" ? { cron: "0 * * * *" } : chosen === "once" ? { once: true } : {};
    const value = { ...added, ...rest };
    act("set scheduling", [setValue(document, "processors", id, ["scheduling"], Object.keys(value).length ? value : null)]);
  };
  return (
    <form className="form" onSubmit={(event) => event.preventDefault()}>
      <div className="field">
        <label className="field-title" htmlFor="strategy">When it runs</label>
        <select id="strategy" value={strategy} onChange={(event) => choose(event.target.value as Strategy)}>
          {Object.entries(STRATEGIES).map(([key, title]) => (
            <option key={key} value={key}>{title}</option>
          ))}
        </select>
      </div>
      {problems.map((one, index) => <p key={index} className="field-error">{one.message}</p>)}
      {strategy === "every" && <TextRow target={target} path={["scheduling", "every"]} title="Every" value={options["every"]} />}
      {strategy === "cron" && <TextRow target={target} path={["scheduling", "cron"]} title="Cron" value={options["cron"]} help="Five fields, or six with seconds first." />}
      <TextRow target={target} path={["scheduling", "concurrent_tasks"]} title="Concurrent tasks" value={options["concurrent_tasks"]} initial="1" number />
      <TextRow target={target} path={["scheduling", "batch_size"]} title="Batch size" value={options["batch_size"]} initial="the engine's choice" number help="Most FlowFiles per trigger." />
      <TextRow target={target} path={["scheduling", "run_duration"]} title="Run duration" value={options["run_duration"]} initial="0 ms" help="How long a session collects triggers." />
    </form>
  );
}
