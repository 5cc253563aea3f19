/** A live tail: which records are asked for, and how many of them are kept. */

import type { KafkaRecord } from "../../api/kafka";

export interface Filters {
  from: "end" | "beginning" | "offset" | "time";
  offset: string;
  /** Local date and time as the browser's input writes it. */
  time: string;
  partition: string;
  key: string;
  header: string;
  path: string;
  equals: string;
}

export const NO_FILTERS: Filters = { from: "end", offset: "0", time: "", partition: "", key: "", header: "", path: "", equals: "" };

/** What is wrong with the filters; "" when they can be asked. */
export function wrongIn({ from, offset, time, header, path }: Filters): string {
  if (from === "offset" && !/^\d+$/.test(offset)) return `offset must be a whole number; got ${offset || "nothing"}`;
  if (from === "time" && Number.isNaN(Date.parse(time))) return "time must be a date and a time";
  if (header && !/^[^=]+=/.test(header)) return `header must be written as name=value; got ${header}`;
  if (path && !path.startsWith("$")) return `JSON path must begin with $; got ${path}`;
  return "";
}

export function queryOf({ from, offset, time, partition, key, header, path, equals }: Filters): string {
  const start = from === "offset" ? `offset:${offset}` : from === "time" ? String(Date.parse(time) * 1000) : from;
  const asked = Object.entries({ from: start, partition, key, header, path, equals: path ? equals : "" });
  return `?${new URLSearchParams(asked.filter(([, value]) => value !== ""))}`;
}

/** What is kept of a tail: the newest records, within a number and a sum of bytes. */
export interface Kept {
  records: KafkaRecord[];
  bytes: number;
  seen: number;
  dropped: number;
}

export const NOTHING: Kept = { records: [], bytes: 0, seen: 0, dropped: 0 };
export const MOST_BYTES = 16 << 20;

export function keep(kept: Kept, fresh: KafkaRecord[], most: number, mostBytes = MOST_BYTES): Kept {
  const records = [...kept.records, ...fresh];
  let bytes = kept.bytes + fresh.reduce((sum, one) => sum + held(one), 0);
  let gone = 0;
  while (records.length - gone > 1 && (records.length - gone > most || bytes > mostBytes)) bytes -= held(records[gone++] as KafkaRecord);
  return { records: records.slice(gone), bytes, seen: kept.seen + fresh.length, dropped: kept.dropped + gone };
}

/** Bytes that a record takes here, about: text is two bytes a character. */
function held({ key, value, value_hex, headers }: KafkaRecord): number {
  return 200 + 2 * ((key?.length ?? 0) + (value?.length ?? 0) + (value_hex?.length ?? 0) + JSON.stringify(headers).length);
}

export const idOf = (record: KafkaRecord) => `${record.partition}:${record.offset}`;

/** A value in one line. */
export function preview({ value, value_hex }: Pick<KafkaRecord, "value" | "value_hex">, most = 240): string {
  if (value === null || value === undefined) return value_hex ? `0x${value_hex.slice(0, most)}` : "null";
  const line = value.slice(0, most * 2).replace(/\s+/g, " ");
  return line.length > most ? `${line.slice(0, most)} …` : line;
}

/** The bytes of what was sent as text, or as hex where it is no text. */
export function bytesOf(text: string | null, hex: string | undefined): Uint8Array {
  if (hex === undefined) return new TextEncoder().encode(text ?? "");
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
