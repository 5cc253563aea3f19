import { CircleAlert } from "lucide-react";
import type { Refused } from "../../api/client";

/** Why a part of the page is old or missing. */
export function Fault({ error }: { error: Refused | undefined }) {
  if (!error) return null;
  return <p className="notice bad" role="alert"><CircleAlert size={14} aria-hidden /> {error.message}</p>;
}
