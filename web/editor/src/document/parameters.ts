/** Parameters in text: `#{name}` stands for a value that the definition holds, or that it names. */

import { bodies, joined } from "./tree";
import type { Entry, FlowDocument } from "./types";

const REFERENCE = /#\{([^{}]*)\}/g;

/** Text with the values in it, and the way from a place in it back to the text with references. */
export interface Substituted {
  text: string;
  back: (offset: number) => number;
}

/** Undefined where a value is not known here: secrets, environment variables, files. */
export function substituted(text: string, parameters: Record<string, Entry>): Substituted | undefined {
  let result = "";
  let from = 0;
  const jumps: [after: number, before: number][] = [[0, 0]];
  for (const match of text.matchAll(REFERENCE)) {
    const value = parameters[match[1] as string]?.["value"];
    if (value === undefined || value === null) return undefined;
    result += text.slice(from, match.index);
    jumps.push([result.length, match.index]);
    result += String(value);
    from = match.index + match[0].length;
    jumps.push([result.length, from]);
  }
  result += text.slice(from);
  const back = (offset: number) => {
    const [after, before] = jumps.findLast(([start]) => start <= offset) as [number, number];
    return Math.min(before + offset - after, text.length);
  };
  return { text: result, back };
}

/** Ids of processors, services and references to other flows that use a parameter. */
export function usersOf(document: FlowDocument, name: string): string[] {
  const wanted = `#{${name}}`;
  const sections = ["processors", "services", "groups"] as const;
  return [...bodies(document)].flatMap(([group, body]) =>
    sections.flatMap((kind) =>
      Object.entries(body[kind] ?? {})
        .filter(([, one]) => (kind !== "groups" || (one as { flow?: string }).flow !== undefined) && JSON.stringify(one).includes(wanted))
        .map(([slug]) => joined(group, slug)),
    ),
  );
}

/** Ids of processors and services whose properties name a service. */
export function usersOfService(document: FlowDocument, id: string): string[] {
  const slug = id.split("/").at(-1) as string;
  const sections = ["processors", "services"] as const;
  return [...bodies(document)].flatMap(([group, body]) =>
    sections.flatMap((kind) =>
      Object.entries(body[kind] ?? {})
        .filter(([, one]) => Object.values(one.properties ?? {}).includes(slug))
        .map(([name]) => joined(group, name)),
    ),
  ).filter((one) => one !== id);
}
