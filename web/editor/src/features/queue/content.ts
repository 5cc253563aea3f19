/** Bytes as people look at them. */

import type { Json } from "../../document/types";

/** Values of JSON, also of a line of JSON each; undefined for what is none. */
export function asJson(text: string): Json[] | undefined {
  return records(text) as Json[] | undefined;
}

function records(text: string): unknown[] | undefined {
  try {
    return [JSON.parse(text)];
  } catch {
    const lines = text.split("\n").filter((line) => line.trim());
    const parsed = lines.map(parsedLine);
    const good = parsed.filter((value) => value !== undefined);
    return good.length > 1 && good.length >= lines.length - 1 ? good : undefined;
  }
}

function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Several records as a table; undefined where there is but one value. */
export function asTable(text: string): { columns: string[]; rows: string[][] } | undefined {
  const found = records(text);
  const list = found?.length === 1 && Array.isArray(found[0]) ? (found[0] as unknown[]) : found;
  if (!list || list.length < 2 || !list.every((one) => one && typeof one === "object" && !Array.isArray(one))) return undefined;
  const objects = list as Record<string, unknown>[];
  const columns = [...new Set(objects.flatMap((one) => Object.keys(one)))];
  const cell = (value: unknown) => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));
  return { columns, rows: objects.map((one) => columns.map((name) => cell(one[name]))) };
}

/** 16 bytes a line: offset, hex, printable characters. */
export function asHex(data: Uint8Array, most = 8192): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(data.length, most); at += 16) {
    const part = [...data.subarray(at, at + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = part.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join("\n") + (data.length > most ? "\n…" : "");
}
