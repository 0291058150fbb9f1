import { useSyncExternalStore } from "react";
import { readPrefs, writePrefs } from "../api/queries";

/** What a person chose for the console; kept on the server, with a copy in this browser for the first paint. */
export interface Prefs {
  theme: "system" | "light" | "dark" | "contrast";
  density: "comfortable" | "compact";
  /** Rows per page of every list. */
  size: number;
  navCollapsed: boolean;
  /** Shown columns by list; a list that is absent shows its own choice. */
  columns: Record<string, string[]>;
  /** Folded sections of the device page's sidebar. */
  folded: string[];
}

const initial: Prefs = { theme: "system", density: "comfortable", size: 30, navCollapsed: false, columns: {}, folded: [] };
const storeKey = "picket-prefs";

const strings = (v: unknown): v is string[] => Array.isArray(v) && v.every((x) => typeof x === "string");

/** Reads preferences from anything; what does not fit falls back to the default. */
export function toPrefs(raw: unknown): Prefs {
  const r = (typeof raw === "object" && raw !== null ? raw : {}) as Record<string, unknown>;
  const columns: Record<string, string[]> = {};
  if (typeof r.columns === "object" && r.columns !== null) for (const [k, v] of Object.entries(r.columns)) if (strings(v)) columns[k] = v;
  return {
    theme: r.theme === "light" || r.theme === "dark" || r.theme === "contrast" ? r.theme : "system",
    density: r.density === "compact" ? "compact" : "comfortable",
    size: r.size === 50 || r.size === 100 ? r.size : 30,
    navCollapsed: r.navCollapsed === true,
    columns,
    folded: strings(r.folded) ? r.folded : [],
  };
}

function cached(): Prefs {
  try {
    return toPrefs(JSON.parse(localStorage.getItem(storeKey) ?? "null"));
  } catch {
    return initial;
  }
}

let current = typeof localStorage === "undefined" ? initial : cached();
const readers = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

function put(p: Prefs): void {
  current = p;
  try {
    localStorage.setItem(storeKey, JSON.stringify(p));
  } catch {
    // a browser without storage keeps them for this page
  }
  readers.forEach((r) => r());
}

/** Writes a change that waits to the server. */
function save(): void {
  if (timer === undefined) return;
  clearTimeout(timer);
  timer = undefined;
  writePrefs({ ...current }).catch(() => undefined); // the browser's copy holds until the next change
}

/** Takes the server's copy unless a change of here is on its way; called once after sign-in. */
export async function loadPrefs(): Promise<void> {
  window.addEventListener("pagehide", save);
  const raw = await readPrefs();
  if (Object.keys(raw).length > 0 && timer === undefined) put(toPrefs(raw));
}

/** Changes preferences here at once and on the server soon after, at the latest when the page is left. */
export function setPrefs(part: Partial<Prefs>): void {
  put({ ...current, ...part });
  clearTimeout(timer);
  timer = setTimeout(save, 600);
}

export const prefs = (): Prefs => current;

export function usePrefs(): Prefs {
  return useSyncExternalStore(
    (tell) => {
      readers.add(tell);
      return () => readers.delete(tell);
    },
    prefs,
    prefs,
  );
}
