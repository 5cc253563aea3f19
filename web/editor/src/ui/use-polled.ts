import { useEffect, useRef, useState } from "react";
import { Refused } from "../api/client";

export interface Polled<T> {
  value: T | undefined;
  /** Why the last question was not answered; the value is older then. */
  error: Refused | undefined;
  again: () => void;
}

const AFTER_ERROR = 3000;

/** What the server says, asked again and again while the page is seen; anew when the key changes. */
export function usePolled<T>(question: (() => Promise<T>) | undefined, key: string, period = 1000): Polled<T> {
  const [answer, setAnswer] = useState<{ key: string; value?: T | undefined; error?: Refused | undefined }>();
  const [round, setRound] = useState(0);
  const asked = useRef(question);
  useEffect(() => {
    asked.current = question;
  });
  useEffect(() => {
    let wanted = true;
    let busy = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async () => {
      if (busy || !wanted || document.hidden || !asked.current) return;
      busy = true;
      clearTimeout(timer);
      const result = await asked.current().then((value) => ({ value, error: undefined }), refusal);
      busy = false;
      if (!wanted) return;
      setAnswer((old) => (result.error ? { key, value: old?.key === key ? old.value : undefined, error: result.error } : { key, value: result.value }));
      timer = setTimeout(() => void turn(), result.error ? AFTER_ERROR : period);
    };
    const onVisible = () => void turn();
    void turn();
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      wanted = false;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [key, period, round]);
  const own = answer?.key === key ? answer : undefined;
  return { value: own?.value, error: own?.error, again: () => setRound(round + 1) };
}

function refusal(error: unknown): { value: undefined; error: Refused } {
  if (error instanceof Refused) return { value: undefined, error };
  throw error;
}
