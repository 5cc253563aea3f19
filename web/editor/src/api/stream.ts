/** Server-sent events read with fetch: an error has its reason, and nothing is asked twice unasked. */

import { Refused } from "./client";
import { eventsIn } from "./sse";
import type { ServerEvent } from "./sse";

/** Hand on each event until the stream ends or is given up. Raises Refused. */
export async function readEvents(where: string, signal: AbortSignal, handle: (event: ServerEvent) => void): Promise<void> {
  const response = await fetch(where, { signal, credentials: "same-origin", headers: { Accept: "text/event-stream" } });
  if (!response.ok || !response.body) {
    const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    throw new Refused(response.status, String(problem["detail"] ?? `the stream failed with ${response.status}`));
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const found = eventsIn(rest + part.value);
    rest = found.rest;
    found.events.forEach(handle);
  }
}
