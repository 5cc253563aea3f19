import { useEffect, useState } from "react";

/** What the server says, asked anew when the key changes; undefined until it has answered. */
export function useAnswer<T>(question: (() => Promise<T>) | undefined, key: string): T | undefined {
  const [answer, setAnswer] = useState<{ key: string; value: T }>();
  useEffect(() => {
    if (!question) return;
    let wanted = true;
    question().then(
      (value) => wanted && setAnswer({ key, value }),
      () => undefined,
    );
    return () => {
      wanted = false;
    };
    // eslint-disable-next-line -- the key says when the question is another one
  }, [key]);
  return answer?.key === key ? answer.value : undefined;
}
