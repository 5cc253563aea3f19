/** What a new connection must satisfy, so that it is refused while it is drawn, with the reason. */

import type { Body, FlowDocument, Processor } from "./types";
import { bodyOf, kindOf, split } from "./tree";

/** The part of a processor type's description that the rules need. */
export interface TypeFacts {
  input: "required" | "forbidden" | "allowed";
  relationships: { name: string; description?: string; failure?: boolean }[];
}

export type Facts = (type: string) => TypeFacts | undefined;

/** Why two components of one group must not be connected; empty when they may. */
export function refusal(document: FlowDocument, facts: Facts, source: string, target: string): string {
  const [from, to] = [kindOf(document, source), kindOf(document, target)];
  const [, name] = split(target);
  if (source === target) return "must not lead back to its source; use retry of the processor";
  if (!from || !to) return "both ends must exist";
  if (from === "labels" || to === "labels") return "a label takes no connection";
  if (from === "outputs") return "an output port leads out of the group: connect it from outside";
  if (to === "inputs") return "an input port is fed from outside the group";
  const [group, slug] = split(source);
  const body = bodyOf(document, group) as Body;
  const processor = body.processors?.[name];
  if (processor && facts(processor.type)?.input === "forbidden")
    return `'${name}' (${processor.type}) is a source: it takes no input`;
  if (to === "groups" && closed(body, name, "inputs")) return `group '${name}' has no input port`;
  if (from === "groups" && closed(body, slug, "outputs")) return `group '${slug}' has no output port`;
  const path = pathBetween(body, name, slug);
  return path ? `must not close a cycle: ${[...path, name].join(" → ")}` : "";
}

function closed(body: Body, group: string, ports: "inputs" | "outputs"): boolean {
  const inner = body.groups?.[group];
  return !!inner && inner.flow === undefined && !Object.keys(inner[ports] ?? {}).length;
}

/** A path through connections that passes no group (whose inside decides); undefined if none. */
function pathBetween(body: Body, from: string, to: string): string[] | undefined {
  const seen = new Set([from]);
  const paths = [[from]];
  for (let path = paths.shift(); path; path = paths.shift()) {
    const last = path.at(-1) as string;
    if (last === to) return path;
    for (const one of body.connections ?? [])
      if (one.from === last && !one.to.includes("/") && !seen.has(one.to)) {
        seen.add(one.to);
        paths.push([...path, one.to]);
      }
  }
  return undefined;
}

/** Relationships of a processor as configured: those that its properties name come first. */
export function relationshipsOf(processor: Processor, facts: TypeFacts | undefined): TypeFacts["relationships"] {
  const known = facts?.relationships ?? [];
  const routes = processor.properties?.["routes"];
  if (!routes || typeof routes !== "object" || Array.isArray(routes)) return known;
  const each = (processor.properties?.["strategy"] ?? "route to each match") === "route to each match";
  const own = Object.keys(routes).map((name) => ({ name, description: String(routes[name]) }));
  return each ? [...own, ...known.filter((one) => one.name !== "matched")] : known;
}

/** Relationships that lead nowhere yet: no connection, no end, no endless retry. */
export function unhandled(document: FlowDocument, id: string, names: string[]): string[] {
  const [group, slug] = split(id);
  const body = bodyOf(document, group);
  const processor = body?.processors?.[slug];
  const connected = new Set(
    (body?.connections ?? []).filter((one) => one.from === slug).flatMap((one) => one.relationships ?? []),
  );
  const forever = (name: string) => processor?.retry?.[name] && processor.retry[name].count === undefined;
  return names.filter(
    (name) => !connected.has(name) && !processor?.auto_terminate?.includes(name) && !forever(name),
  );
}

/** Everything that comes after a component in its group, or before it. */
export function neighbours(document: FlowDocument, id: string, forward: boolean): string[] {
  const [group, slug] = split(id);
  const seen = new Set<string>();
  const todo = [slug];
  const prefix = group ? `${group}/` : "";
  const first = (end: string) => end.split("/")[0] as string;
  for (let at = todo.pop(); at !== undefined; at = todo.pop())
    for (const one of bodyOf(document, group)?.connections ?? []) {
      const [from, to] = forward ? [first(one.from), first(one.to)] : [first(one.to), first(one.from)];
      if (from !== at || seen.has(to)) continue;
      seen.add(to);
      todo.push(to);
    }
  return [...seen].map((one) => prefix + one);
}
