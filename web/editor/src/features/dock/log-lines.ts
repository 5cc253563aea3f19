import type { LogLine } from "../../api/runner";

export interface ShownLine {
  text: string;
  level: string;
}

/** A line as people read it: time, level, component, event, and what else is known. */
export function shownLine(line: LogLine): ShownLine {
  if (typeof line === "string") return { text: line, level: /\b(error|warning|info|debug)\b/i.exec(line)?.[1]?.toLowerCase() ?? "" };
  const { timestamp, level, event, component, exception, ...rest } = line;
  const more = Object.keys(rest).length ? ` ${JSON.stringify(rest)}` : "";
  const head = [timestamp, String(level ?? "").toUpperCase().padEnd(7), component && `[${String(component)}]`, event].filter(Boolean).join(" ");
  return { text: head + more + (exception ? `\n${String(exception)}` : ""), level: String(level ?? "").toLowerCase() };
}

const ORDER = ["debug", "info", "warning", "error", "critical"];

/** Lines of at least this level that hold the text; those without a level always count. */
export function filtered(lines: ShownLine[], level: string, text: string): ShownLine[] {
  const wanted = text.trim().toLowerCase();
  const least = ORDER.indexOf(level);
  return lines.filter((line) => (ORDER.indexOf(line.level) < 0 || ORDER.indexOf(line.level) >= least) && line.text.toLowerCase().includes(wanted));
}
