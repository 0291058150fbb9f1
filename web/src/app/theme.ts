import { teamsHighContrastTheme, webDarkTheme, webLightTheme, type Theme } from "@fluentui/react-components";
import { useEffect, useSyncExternalStore } from "react";
import { usePrefs, type Prefs } from "./prefs";

const fontFamilyBase = "'Segoe UI', 'Segoe UI Web (West European)', -apple-system, BlinkMacSystemFont, Inter, Roboto, 'Noto Sans', 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif";
const fontFamilyMonospace = "Consolas, 'Cascadia Mono', Menlo, 'Liberation Mono', 'DejaVu Sans Mono', monospace";
const fonts = { fontFamilyBase, fontFamilyMonospace };

/** What Fluent's themes lack: the colours of severities, and one hover that leaves the text readable in high contrast. */
interface Own {
  colorSeverityCritical: string;
  colorSeverityHigh: string;
  colorSeverityMedium: string;
  colorSeverityLow: string;
  colorSeverityNone: string;
  colorSurfaceHover: string;
}

const own = (critical: string, high: string, medium: string, low: string, none: string, hover: string): Own => ({
  colorSeverityCritical: critical,
  colorSeverityHigh: high,
  colorSeverityMedium: medium,
  colorSeverityLow: low,
  colorSeverityNone: none,
  colorSurfaceHover: hover,
});

const light: Theme & Own = { ...webLightTheme, ...fonts, ...own("#8e0b2d", "#d13438", "#f7630c", "#eaa300", "#c4c4c4", "#f5f5f5") };
const dark: Theme & Own = { ...webDarkTheme, ...fonts, ...own("#ff6b81", "#dc3d41", "#f7843d", "#f2c661", "#757575", "#3d3d3d") };
const contrast: Theme & Own = { ...teamsHighContrastTheme, ...fonts, ...own("#ff6b81", "#ff9d3d", "#ffe14d", "#1aebff", "#ffffff", "#333333") };

// Where the system forces its colours, what is drawn takes them by name: the system says what is light and dark there.
const named: readonly [RegExp, string][] = [
  [/^color(.*Transparent|Subtle|BackgroundOverlay)/, ""], // stays what it is
  [/^colorBrandForegroundLink/, "LinkText"],
  [/^color(CompoundBrand|BrandStroke)/, "Highlight"],
  [/^color.*(Foreground|Stroke|Border)/, "CanvasText"],
  [/^color.*Background/, "Canvas"],
];
const name = (token: string): string => named.find(([r]) => r.test(token))?.[1] ?? "";
const forced: Theme & Own = {
  ...contrast,
  ...Object.fromEntries(Object.keys(contrast).filter((k) => name(k) !== "").map((k) => [k, name(k)])),
  ...own("#c50f1f", "#d83b01", "#b57500", "#0078d4", "#767676", "Canvas"), // at least 3:1 on black and on white
};

/** The theme that a choice means where the system prefers dark, forces its colours, or prefers more contrast. */
export function themeOf(choice: Prefs["theme"], systemDark: boolean, systemForced: boolean, systemContrast = false): Theme & Own {
  if (systemForced) return forced;
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
  const t = themeOf(theme, useMedia("(prefers-color-scheme: dark)"), useMedia("(forced-colors: active)"), useMedia("(prefers-contrast: more)"));
  useEffect(() => {
    document.documentElement.style.colorScheme = t === forced ? "light dark" : t === light ? "light" : "dark"; // form parts and scroll bars of the browser
    document.body.style.backgroundColor = t.colorNeutralBackground1;
  }, [t]);
  return t;
}
