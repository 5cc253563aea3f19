import { useEffect } from "react";
import { EditorPage } from "./features/editor/editor-page";
import { FlowsPage } from "./features/flows/flows-page";
import { applyTheme, useUi } from "./state/ui-store";
import { usePath } from "./ui/router";
import { Toasts } from "./ui/toasts";

export function App() {
  const path = usePath();
  const theme = useUi((ui) => ui.theme);
  useEffect(() => {
    applyTheme(theme);
    const system = matchMedia("(prefers-color-scheme: dark)");
    const change = () => applyTheme(theme);
    system.addEventListener("change", change);
    return () => system.removeEventListener("change", change);
  }, [theme]);
  const [where = "", query = ""] = path.split("?");
  const flow = /^flows\/([^/]+)\/?$/.exec(where)?.[1];
  const group = new URLSearchParams(query).get("group") ?? "";
  return (
    <>
      {flow ? <EditorPage key={flow} flow={decodeURIComponent(flow)} group={group} /> : <FlowsPage />}
      <Toasts />
    </>
  );
}
