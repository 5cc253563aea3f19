import type { NewRecord } from "../../api/kafka";

/** What is wrong with a value written by hand; "" when it can be sent. */
export function wrongInValue(value: string, encoding: NewRecord["encoding"]): string {
  if (encoding === "hex" && !/^([0-9a-fA-F]{2}\s*)*$/.test(value)) return "Hex is pairs of 0-9 and a-f.";
  if (encoding !== "json") return "";
  try {
    JSON.parse(value);
    return "";
  } catch (error) {
    return `No JSON: ${(error as Error).message}`;
  }
}
