/** What of a cluster is looked at; it stands in the address, so it can be sent to somebody. */

export const SHOWN = ["topics", "groups", "brokers"] as const;
export type Shown = (typeof SHOWN)[number];
export const TOPIC_TABS = ["partitions", "records", "settings", "used"] as const;
export type TopicTab = (typeof TOPIC_TABS)[number];

export interface Place {
  service: string;
  shown: Shown;
  topic: string;
  tab: TopicTab;
  group: string;
}

export function placeOf(query: string): Place {
  const asked = new URLSearchParams(query);
  const among = <T extends string>(all: readonly T[], name: string): T => all.find((one) => one === asked.get(name)) ?? (all[0] as T);
  return {
    service: asked.get("service") ?? "",
    shown: among(SHOWN, "show"),
    topic: asked.get("topic") ?? "",
    tab: among(TOPIC_TABS, "tab"),
    group: asked.get("group") ?? "",
  };
}

/** The address of a place, without what is the default or belongs to something else. */
export function addressOf(flow: string, { service, shown, topic, tab, group }: Partial<Place>): string {
  const asked = new URLSearchParams();
  if (service) asked.set("service", service);
  if (shown && shown !== "topics") asked.set("show", shown);
  if (topic && shown !== "groups") asked.set("topic", topic);
  if (topic && tab && tab !== "partitions") asked.set("tab", tab);
  if (group && shown === "groups") asked.set("group", group);
  const query = asked.toString();
  return `flows/${encodeURIComponent(flow)}/kafka${query ? `?${query}` : ""}`;
}
