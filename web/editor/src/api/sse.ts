/** The text form of server-sent events. */

export interface ServerEvent {
  event: string;
  data: string;
}

/** Whole events in a text, and what is left of the last one. Comments are left out. */
export function eventsIn(text: string): { events: ServerEvent[]; rest: string } {
  const blocks = text.replace(/\r\n/g, "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  return { events: blocks.map(eventIn).filter((one) => one.data), rest };
}

function eventIn(block: string): ServerEvent {
  const fields = { event: "message", data: [] as string[] };
  for (const line of block.split("\n")) {
    const [, name, value = ""] = /^(event|data): ?(.*)$/.exec(line) ?? [];
    if (name === "event") fields.event = value;
    else if (name === "data") fields.data.push(value);
  }
  return { event: fields.event, data: fields.data.join("\n") };
}
