import { CircleCheck, CircleDashed, CircleHelp, CircleX, RefreshCw } from "lucide-react";
import type { LucideIcon } from "lucide-react";

const LOOKS: Record<string, [LucideIcon, string]> = {
  stable: [CircleCheck, "good"],
  empty: [CircleDashed, ""],
  dead: [CircleX, "bad"],
  preparingrebalance: [RefreshCw, "warn"],
  completingrebalance: [RefreshCw, "warn"],
};

/** The state of a group by form, colour and word. */
export function GroupState({ state }: { state: string }) {
  const [Icon, tone] = LOOKS[state.toLowerCase()] ?? [CircleHelp, ""];
  const words = state.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return <span className={`mark ${tone}`}><Icon size={13} aria-hidden /> {words}</span>;
}
