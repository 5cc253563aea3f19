import { Refused } from "../api/client";
import { placeOf } from "../document/problems";
import { useUi } from "../state/ui-store";

/** Do something on the server, and say what came of it. */
export async function attempt<T>(work: Promise<T>, done = ""): Promise<T | undefined> {
  const { toast } = useUi.getState();
  try {
    const answer = await work;
    if (done) toast(done, "good");
    return answer;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const first = error.problems[0];
    const more = first && !error.message.includes(first.message) ? `: ${first.message}` : "";
    toast((first ? placeOf(first) : "") + error.message + more, "bad");
    return undefined;
  }
}
