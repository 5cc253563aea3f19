/** What the figures of a group and a topic mean to a person. */

import type { Group, GroupEvent, Member, Offset, Partition } from "../../api/kafka";

/** "topic 0, 1; other 2": the partitions of a member, by topic. */
export function sharesOf(member: Member): { topic: string; partitions: number[] }[] {
  const shares = Map.groupBy(member.partitions, (one) => one.topic);
  return [...shares].map(([topic, all]) => ({ topic, partitions: all.map((one) => one.partition).sort((a, b) => a - b) }));
}

/** Members in a steady order: who has most comes first, the idle ones last. */
export function ordered(members: Member[]): Member[] {
  return [...members].sort((a, b) => b.partitions.length - a.partitions.length || a.client_id.localeCompare(b.client_id) || a.id.localeCompare(b.id));
}

/** How members and partitions fit together, in a sentence; "" where nothing is to be said. */
export function advice({ members, offsets }: Pick<Group, "members" | "offsets">): string {
  const idle = members.filter((one) => one.idle).length;
  const assigned = members.reduce((sum, one) => sum + one.partitions.length, 0);
  const partitions = Math.max(offsets.length, assigned);
  if (!members.length) return offsets.length ? "Nobody reads with this group now. Its offsets wait for whoever joins." : "";
  if (idle) return `${amount(partitions, "partition")} for ${amount(members.length, "member")}: ${idle === 1 ? "one has" : `${idle} have`} nothing to do. More members than partitions are waste; more partitions would give them work.`;
  if (members.length < partitions) return `${amount(members.length, "member")} share ${amount(partitions, "partition")}. Up to ${partitions - members.length} more could help.`;
  return `${amount(members.length, "member")}, ${amount(partitions, "partition")}: each has its own. One more member would be idle.`;
}

export function amount(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}

/** Parts of what a partition holds, in percent: read by the group, and still to read. */
export function progress({ first, end, committed, lag }: Offset): { read: number; behind: number } {
  if (first === null || end === null || lag === null) return { read: 0, behind: 0 };
  const held = end - first;
  if (held <= 0) return { read: committed === null ? 0 : 100, behind: 0 };
  const behind = Math.min(Math.max((lag / held) * 100, lag ? 1 : 0), 100);
  return { read: 100 - behind, behind };
}

export function heldBy({ first, end }: Pick<Partition, "first" | "end">): number {
  return Math.max(end - first, 0);
}

export const totalLag = (offsets: Offset[]) => offsets.reduce((sum, one) => sum + (one.lag ?? 0), 0);

export const LANES = ["joined", "left", "rebalanced", "state"] as const;

export interface Lane {
  kind: GroupEvent["kind"];
  marks: { at: number; event: GroupEvent }[];
}

const SHORTEST = 60_000_000; // µs: a quieter time line would exaggerate

/** Events by kind, each at its place in percent between the first of them and now. */
export function laned(events: GroupEvent[], now: number): { from: number; lanes: Lane[] } {
  const earliest = Math.min(...events.map((one) => one.time), now - SHORTEST);
  const length = Math.max(now - earliest, 1);
  const lanes = LANES.map((kind) => ({
    kind,
    marks: events.filter((one) => one.kind === kind).map((event) => ({ at: Math.min(((event.time - earliest) / length) * 100, 100), event })),
  }));
  return { from: earliest, lanes: lanes.filter((lane) => lane.marks.length) };
}
