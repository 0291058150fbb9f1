import type { ListState } from "../../lib/search";

export const presets = ["1", "7", "30"] as const;

/** What range a list of events shows: a preset, days of one's own, or all there are. */
export type Range = { kind: "days"; days: string } | { kind: "custom"; from: string; to: string } | { kind: "all" };

export function rangeOf(filters: ListState["filters"]): Range {
  const from = filters.from?.[0] ?? "";
  const to = filters.to?.[0] ?? "";
  if (from !== "" || to !== "") return { kind: "custom", from, to };
  const days = filters.days?.[0];
  return days ? { kind: "days", days } : { kind: "all" };
}

/** The filters with another range; everything else stays. */
export function withRange(filters: ListState["filters"], r: Range): ListState["filters"] {
  const rest = Object.fromEntries(Object.entries(filters).filter(([k]) => k !== "days" && k !== "from" && k !== "to"));
  switch (r.kind) {
    case "days":
      return { ...rest, days: [r.days] };
    case "custom":
      return { ...rest, ...(r.from ? { from: [r.from] } : {}), ...(r.to ? { to: [r.to] } : {}) };
    default:
      return rest;
  }
}

/** The search of the timeline that shows one day (UTC). */
export const oneDay = (day: string): Record<string, string> => ({ days: "any", from: day, to: day });
