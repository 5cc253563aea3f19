import { useEffect, useRef, useState } from "react";
import { Refused } from "../../api/client";
import type { KafkaRecord } from "../../api/kafka";
import type { ServerEvent } from "../../api/sse";
import { readEvents } from "../../api/stream";
import { keep, NOTHING } from "./tail";
import type { Kept } from "./tail";

export interface Tail {
  kept: Kept;
  state: "reading" | "ended" | "failed";
  /** What the server says beside records: why it ended, what it passed over. */
  note: string;
  clear: () => void;
}

const DRAWN_EVERY = 200; // ms: records come faster than anybody reads

/** Read a tail until its address changes; "" reads nothing. Only the newest records stay. */
export function useTail(where: string, most: number): Tail {
  const [kept, setKept] = useState<Kept>(NOTHING);
  const [state, setState] = useState<Tail["state"]>("reading");
  const [note, setNote] = useState("");
  const limit = useRef(most);
  useEffect(() => {
    limit.current = most;
  }, [most]);
  useEffect(() => {
    if (!where) return;
    const given = new AbortController();
    let fresh: KafkaRecord[] = [];
    const draw = () => {
      const records = fresh;
      fresh = [];
      if (records.length) setKept((old) => keep(old, records, limit.current));
    };
    const timer = setInterval(draw, DRAWN_EVERY);
    const handle = ({ event, data }: ServerEvent) => {
      if (event === "record") fresh.push(JSON.parse(data) as KafkaRecord);
      else if (event === "note") setNote(String((JSON.parse(data) as { text?: string }).text ?? ""));
    };
    setKept(NOTHING);
    setState("reading");
    setNote("");
    const end = (to: Tail["state"], why = "") => {
      if (given.signal.aborted) return;
      draw();
      setState(to);
      if (why) setNote(why);
    };
    readEvents(where, given.signal, handle).then(
      () => end("ended"),
      (error: unknown) => end("failed", error instanceof Refused ? error.message : "the connection to the server is lost"),
    );
    return () => {
      given.abort();
      clearInterval(timer);
    };
  }, [where]);
  return { kept, state, note, clear: () => setKept(NOTHING) };
}
