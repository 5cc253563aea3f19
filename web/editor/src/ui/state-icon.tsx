import { Ban, CheckCheck, CircleAlert, CircleStop, LoaderCircle, Play, TriangleAlert } from "lucide-react";
import type { LucideIcon } from "lucide-react";

const ICONS: Record<string, LucideIcon> = {
  running: Play,
  stopped: CircleStop,
  starting: LoaderCircle,
  stopping: LoaderCircle,
  failed: CircleAlert,
  invalid: TriangleAlert,
  disabled: Ban,
  completed: CheckCheck,
};

/** A state by colour, form and name. */
export function StateIcon({ state, size = 14 }: { state: string; size?: number }) {
  const Icon = ICONS[state] ?? CircleStop;
  return (
    <span className={`state-icon state-${state}`} role="img" aria-label={state} title={state}>
      <Icon size={size} aria-hidden />
    </span>
  );
}
