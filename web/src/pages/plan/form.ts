import { remedyNames } from "../../lib/exposure";
import { typedNumber } from "../../lib/plan";
import type { RawSearch } from "../../lib/search";

/** The form of a plan as the URL keeps it: texts as they were typed. */
export interface PlanForm {
  target: number;
  restarts: string;
  devices: string;
  types: string[];
  exclude: string[];
  basket: boolean;
}

export const planTypes: readonly string[] = remedyNames;
/** What can be carried out: for the rest there is nothing to install. */
export const usualTypes: readonly string[] = ["Update", "Upgrade", "Uninstall", "ConfigurationChange", "Restart"];

const same = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((x) => b.includes(x));

/** Reads the form from the URL; what it does not understand is as if it were not there. */
export function parseForm(raw: RawSearch): PlanForm {
  const target = Number(raw.target ?? "30");
  const types = (raw.types ?? "").split(",").filter((t) => planTypes.includes(t));
  return {
    target: raw.target !== undefined && raw.target !== "" && target >= 0 && target <= 100 ? Math.round(target * 1000) / 1000 : 30,
    restarts: raw.restarts ?? "",
    devices: raw.devices ?? "",
    types: types.length > 0 ? types : [...usualTypes],
    exclude: (raw.exclude ?? "").split(",").filter((t) => t !== ""),
    basket: raw.basket === "1",
  };
}

/** Writes the form; the inverse of parseForm. */
export function formatForm(f: PlanForm): RawSearch {
  const out: RawSearch = {};
  if (f.target !== 30) out.target = String(f.target);
  if (f.restarts !== "") out.restarts = f.restarts;
  if (f.devices !== "") out.devices = f.devices;
  if (!same(f.types, usualTypes)) out.types = f.types.join(",");
  if (f.exclude.length > 0) out.exclude = f.exclude.join(",");
  if (f.basket) out.basket = "1";
  return out;
}

/** What is wrong with a limit, "" when nothing is. */
export const limitProblem = (text: string): string => (typedNumber(text) === null ? "Type a whole number, or nothing for no limit" : "");

/** What the server is asked; null while a limit is not a number. */
export function goalOf(f: PlanForm, basket: readonly string[]) {
  const restarts = typedNumber(f.restarts);
  const devices = typedNumber(f.devices);
  if (restarts === null || devices === null) return null;
  if (f.basket) return { target: f.target, recommendations: [...basket] };
  return {
    target: f.target, types: f.types, exclude: f.exclude,
    ...(restarts === undefined ? {} : { max_restarts: restarts }),
    ...(devices === undefined ? {} : { max_devices: devices }),
  };
}
