import type { Group } from "../../api/kafka";
import { amount, ordered } from "./figures";

/** Why a group's offsets cannot be touched now; "" when they can. */
export function whyLive({ members }: Pick<Group, "members">): string {
  if (!members.length) return "";
  const names = ordered([...members]).map((one) => one.client_id || one.id);
  return `The group must have no live members for this; it has ${amount(members.length, "member")}: ${names.join(", ")}. Stop what reads with this group first; a running member would write its own offsets over it.`;
}
