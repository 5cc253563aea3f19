/** The Kafka lens: what a cluster tells through one KafkaConnection. Times in µs, sizes in bytes. */

import { address, ask, at, get, post, remove } from "./client";

export interface Broker {
  id: number;
  host: string;
  port: number;
  rack: string | null;
  controller: boolean;
}

export interface Cluster {
  cluster_id: string | null;
  controller: number | null;
  brokers: Broker[];
}

export interface TopicSummary {
  name: string;
  internal: boolean;
  partitions: number;
  replication: number;
  under_replicated: number;
  records: number | null;
  size: number | null;
}

export interface Partition {
  partition: number;
  leader: number | null;
  replicas: number[];
  in_sync: number[];
  first: number;
  end: number;
  size: number | null;
}

export interface Setting {
  name: string;
  value: string | null;
  default: boolean;
  read_only: boolean;
  sensitive: boolean;
}

export interface Usage {
  flow: string;
  processor: string;
  type: string;
  reads: boolean;
  writes: boolean;
}

export interface Topic {
  name: string;
  internal: boolean;
  partitions: Partition[];
  config: Setting[];
  groups: string[];
  used_by: Usage[];
}

export interface GroupSummary {
  id: string;
  state: string;
  protocol: string;
  members: number;
  topics: string[];
  lag: number | null;
}

export interface Member {
  id: string;
  client_id: string;
  host: string;
  instance_id: string | null;
  idle: boolean;
  partitions: { topic: string; partition: number }[];
}

export interface Offset {
  topic: string;
  partition: number;
  committed: number | null;
  /** Null, as the two below, where the partition is no more. */
  first: number | null;
  end: number | null;
  lag: number | null;
  member: string | null;
}

export interface GroupEvent {
  time: number;
  kind: "joined" | "left" | "rebalanced" | "state";
  text: string;
}

export interface Group {
  id: string;
  state: string;
  coordinator: number | string | null;
  protocol: string;
  assignor: string;
  members: Member[];
  offsets: Offset[];
  events: GroupEvent[];
}

/** `earliest`, `latest`, a time in µs, or an offset for each partition. */
export type ResetTo = "earliest" | "latest" | number | Record<string, number>;

export interface Moved {
  topic: string;
  partition: number;
  before: number | null;
  after: number | null;
}

export interface NewTopic {
  name: string;
  partitions: number;
  replication_factor: number;
  config: Record<string, string>;
}

export interface NewRecord {
  key: string | null;
  value: string | null;
  headers: Record<string, string>;
  partition: number | null;
  encoding: "text" | "json" | "hex";
}

export interface Written {
  partition: number;
  offset: number;
  timestamp: number;
}

export interface KafkaRecord {
  partition: number;
  offset: number;
  timestamp: number;
  timestamp_type?: string;
  key: string | null;
  value: string | null;
  value_truncated?: boolean;
  key_hex?: string;
  value_hex?: string;
  headers: [string, string | null][];
  size: number;
}

/** All questions about the cluster behind one service of one flow. */
export function kafkaApi(flow: string, service: string) {
  const base = at`/kafka/${flow}/${service}`;
  const one = (kind: string, name: string) => `${base}/${kind}/${encodeURIComponent(name)}`;
  return {
    cluster: () => get<Cluster>(`${base}/cluster`),
    topics: (internal: boolean) => get<{ topics: TopicSummary[] }>(`${base}/topics?internal=${internal}`),
    topic: (name: string) => get<Topic>(one("topics", name)),
    createTopic: (topic: NewTopic) => post(`${base}/topics`, topic),
    deleteTopic: (name: string) => remove(`${one("topics", name)}?confirm=${encodeURIComponent(name)}`),
    groups: () => get<{ groups: GroupSummary[] }>(`${base}/groups`),
    group: (id: string) => get<Group>(one("groups", id)),
    reset: (id: string, topic: string, to: ResetTo) => post<{ offsets: Moved[] }>(`${one("groups", id)}/reset`, { topic, to }),
    deleteGroup: (id: string) => ask("DELETE", one("groups", id)),
    produce: (topic: string, record: NewRecord) => post<Written>(`${one("topics", topic)}/records`, record),
    tailAddress: (topic: string, query: string) => address(`${one("topics", topic)}/tail${query}`),
  };
}

export type KafkaApi = ReturnType<typeof kafkaApi>;
