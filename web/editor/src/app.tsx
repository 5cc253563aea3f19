import { lazy, Suspense, useEffect } from "react";
import { EditorPage } from "./features/editor/editor-page";
import { LoginDialog } from "./features/editor/login-dialog";
import { FlowsPage } from "./features/flows/flows-page";
import { applyTheme, useUi } from "./state/ui-store";
import { usePath } from "./ui/router";
import { Toasts } from "./ui/toasts";

const KafkaPage = lazy(() => import("./features/kafka/kafka-page").then((page) => ({ default: page.KafkaPage })));

export function App() {
  const path = usePath();
  const theme = useUi((ui) => ui.theme);
  const loggedOut = useUi((ui) => ui.loggedOut);
  useEffect(() => {
    applyTheme(theme);
    const system = matchMedia("(prefers-color-scheme: dark)");
    const change = () => applyTheme(theme);
    system.addEventListener("change", change);
    return () => system.removeEventListener("change", change);
  }, [theme]);
  const [where = "", query = ""] = path.split("?");
  return (
    <>
      <Page where={where} query={query} />
      {loggedOut && <LoginDialog />}
      <Toasts />
    </>
  );
}

function Page({ where, query }: { where: string; query: string }) {
  const [, id, part] = /^flows\/([^/]+)(?:\/(kafka))?\/?$/.exec(where) ?? [];
  if (!id) return <FlowsPage />;
  const flow = decodeURIComponent(id);
  const asked = new URLSearchParams(query);
  if (part) return <Suspense><KafkaPage key={flow} flow={flow} query={query} /></Suspense>;
  return <EditorPage key={flow} flow={flow} group={asked.get("group") ?? ""} at={asked.get("at") ?? ""} />;
}
