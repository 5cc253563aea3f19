/** One way to ask the server. The session is a cookie; every write names its origin. */

import type { Problem } from "../document/types";

export interface Boot {
  version: string;
  user: string | null;
  role: string;
}

export const boot: Boot = {
  version: "",
  user: null,
  role: "admin",
  ...(JSON.parse(document.getElementById("boot")?.textContent || "{}") as Partial<Boot>),
};

export const mayEdit = boot.role === "editor" || boot.role === "admin";
export const mayOperate = mayEdit || boot.role === "operator";

/** An answer that is not what was asked for. `status` 0: the server did not answer. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly problems: Problem[] = [],
    readonly body: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** An address below the page's base; ids in it must be encoded by `at`. */
export function address(path: string): string {
  return new URL(path, document.baseURI).href;
}

/** A path of the REST API; values are encoded, but the slashes of ids stay. */
export function at(parts: TemplateStringsArray, ...values: (string | number)[]): string {
  const encoded = values.map((value) => String(value).split("/").map(encodeURIComponent).join("/"));
  return parts.reduce((path, part, index) => path + part + (encoded[index] ?? ""), "api/v1");
}

/** Called when the server no longer knows who asks. */
export const session = { ended: () => undefined as void };

type Method = "GET" | "POST" | "PUT" | "DELETE";

export async function ask<T>(method: Method, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const response = await send(method, path, body, headers);
  const type = response.headers.get("content-type") ?? "";
  const answer: unknown = type.includes("json") ? await response.json() : await response.text();
  if (response.ok) return answer as T;
  if (response.status === 401) session.ended();
  const problem = (typeof answer === "object" && answer ? answer : {}) as Record<string, unknown>;
  const detail = String(problem["detail"] ?? `${method} failed with ${response.status}`);
  throw new Refused(response.status, detail, (problem["problems"] as Problem[]) ?? [], problem);
}

async function send(method: Method, path: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(address(path), {
      method,
      credentials: "same-origin",
      headers: {
        "X-Requested-With": "flowengine",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Refused(0, "the server does not answer; edits are kept here until it does");
  }
}

export const get = <T>(path: string) => ask<T>("GET", path);
export const post = <T>(path: string, body: unknown = {}, headers: Record<string, string> = {}) => ask<T>("POST", path, body, headers);
export const remove = <T>(path: string) => ask<T>("DELETE", path);

/** Log in as the login page does. The answer to a right name and password, or token, is a redirect. */
export async function logIn(fields: Record<string, string>): Promise<string> {
  const body = new URLSearchParams(fields);
  const response = await fetch(address("login"), { method: "POST", credentials: "same-origin", redirect: "manual", body });
  if (response.type === "opaqueredirect" || response.ok) return "";
  if (response.status === 429) return `Too many tries; wait ${response.headers.get("Retry-After") ?? "some"} seconds.`;
  return "Name and password, or the token, must be right.";
}
