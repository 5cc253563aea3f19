// `make dev`: Vite serves the editor's sources, the server everything else. Pages come from the
// server too, so that session and boot data are the real ones; only the built files in its shell
// are replaced by the sources.
import type { Plugin, ProxyOptions } from "vite";

interface Asked {
  method?: string;
  url?: string;
  headers: Record<string, string | string[] | undefined>;
}

interface Answered {
  statusCode: number;
  setHeader(name: string, value: string | string[]): unknown;
  end(text: string): unknown;
}

const OURS = /^\/(@|src\/|node_modules\/)/;

export function proxied(server: string): Record<string, ProxyOptions> {
  return { "^/(api|docs|login|logout|static|status|style)(/|\\?|$)": { target: server } };
}

export function shellOf(server: string): Plugin {
  return {
    name: "flowengine-shell",
    apply: "serve",
    configureServer(vite) {
      const handle = async (asked: Asked, answered: Answered): Promise<void> => {
        const url = asked.url ?? "/";
        const page = await fetch(new URL(url, server), { headers: copied(asked), redirect: "manual" });
        answered.statusCode = page.status;
        for (const name of ["content-type", "location"]) {
          const value = page.headers.get(name);
          if (value) answered.setHeader(name, value);
        }
        answered.setHeader("set-cookie", page.headers.getSetCookie());
        answered.setHeader("cache-control", "no-store");
        const text = await page.text();
        const shell = text.includes('id="boot"');
        answered.end(shell ? await vite.transformIndexHtml(url, withSources(text)) : text);
      };
      vite.middlewares.use((request, response, next) => {
        // without the types of Node these two say too little about themselves
        const [asked, answered] = [request as unknown as Asked, response as unknown as Answered];
        const wantsPage = asked.method === "GET" && String(asked.headers.accept).includes("text/html");
        if (wantsPage && !OURS.test(asked.url ?? "/")) handle(asked, answered).catch(next);
        else next();
      });
    },
  };
}

function copied(asked: Asked): Headers {
  const headers = new Headers({ accept: "text/html" });
  if (asked.headers.cookie) headers.set("cookie", String(asked.headers.cookie));
  return headers;
}

function withSources(page: string): string {
  return page
    .replace(/<link rel="(stylesheet|modulepreload)"[^>]*>\s*/g, "")
    .replace(/src="static\/assets\/[^"]*"( nonce="[^"]*")?/, 'src="/src/main.tsx"');
}
