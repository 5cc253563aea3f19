import { Monitor, Moon, Sun } from "lucide-react";
import { useUi } from "../state/ui-store";
import type { Theme } from "../state/ui-store";
import { IconButton } from "./button";

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const ICONS = { system: Monitor, light: Sun, dark: Moon };

export function ThemeButton() {
  const theme = useUi((ui) => ui.theme);
  const setTheme = useUi((ui) => ui.setTheme);
  return <IconButton icon={ICONS[theme]} label={`Theme: ${theme}`} onClick={() => setTheme(NEXT[theme])} />;
}
