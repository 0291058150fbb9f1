import { teamsHighContrastTheme, webDarkTheme, webLightTheme, type Theme } from "@fluentui/react-components";
import { useEffect, useSyncExternalStore } from "react";
import { usePrefs, type Prefs } from "./prefs";

const fontFamilyBase = "'Segoe UI', 'Segoe UI Web (West European)', -apple-system, BlinkMacSystemFont, Inter, Roboto, 'Noto Sans', 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif";
const fontFamilyMonospace = "Consolas, 'Cascadia Mono', Menlo, 'Liberation Mono', 'DejaVu Sans Mono', monospace";
const fonts = { fontFamilyBase, fontFamilyMonospace };

const light: Theme = { ...webLightTheme, ...fonts };
const dark: Theme = { ...webDarkTheme, ...fonts };
const contrast: Theme = { ...teamsHighContrastTheme, ...fonts };

/** The theme that a choice means where the system prefers dark or more contrast. */
export function themeOf(choice: Prefs["theme"], systemDark: boolean, systemContrast: boolean): Theme {
  if (choice === "contrast" || (choice === "system" && systemContrast)) return contrast;
  if (choice === "dark" || (choice === "system" && systemDark)) return dark;
  return light;
}

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (tell) => {
      const m = window.matchMedia(query);
      m.addEventListener("change", tell);
      return () => m.removeEventListener("change", tell);
    },
    () => window.matchMedia(query).matches,
  );
}

export function useTheme(): Theme {
  const { theme } = usePrefs();
  const t = themeOf(theme, useMedia("(prefers-color-scheme: dark)"), useMedia("(forced-colors: active)"));
  useEffect(() => {
    document.documentElement.style.colorScheme = t === light ? "light" : "dark"; // form parts and scroll bars of the browser
    document.body.style.backgroundColor = t.colorNeutralBackground1;
  }, [t]);
  return t;
}
