import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { session } from "./api/client";
import { App } from "./app";
import { applyTheme, useUi } from "./state/ui-store";
import "./styles.css";

applyTheme(useUi.getState().theme);
session.ended = () => useUi.getState().show({ loggedOut: true });
const root = document.getElementById("root") ?? document.body.appendChild(document.createElement("div"));
root.id = "root";
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
