/** What a problem is about, as far as it says so. */

import type { Problem } from "./types";

/** The property that a problem is about; what is missing is named in its message alone. */
export function fieldOf({ property = "", message }: Problem): string {
  const [section, name = ""] = property.split(".");
  return section === "properties" && name ? name : (/property '([^']+)'/.exec(message)?.[1] ?? "");
}

/** The tab of the inspector on which it can be solved. */
export function tabOf(problem: Problem): "properties" | "scheduling" | "relationships" {
  const property = problem.property ?? "";
  if (property.startsWith("scheduling")) return "scheduling";
  return /^(auto_terminate|retry)/.test(property) || !fieldOf(problem) ? "relationships" : "properties";
}

/** Where it stands in a file. */
export function placeOf({ line, column }: Problem): string {
  return line ? `line ${line}, column ${column ?? 1}: ` : "";
}
