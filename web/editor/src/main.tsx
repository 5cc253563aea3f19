import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { applyTheme, useUi } from "./state/ui-store";
import "./styles.css";

applyTheme(useUi.getState().theme);
const root = document.getElementById("root") ?? document.body.appendChild(document.createElement("div"));
root.id = "root";
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
