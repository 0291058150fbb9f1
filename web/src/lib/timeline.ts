/** A device's timeline: its range, its highlighted part, and how a chart of it is drawn. Times are milliseconds since 1970. */

export interface Span {
  from: number;
  to: number;
}

export type Filters = Readonly<Record<string, readonly string[]>>;

/** Why nothing is in an event group yet. */
const windows = "Comes with agents for Windows.";

/** The event groups, in the order of the filter, the tone that each has in the chart, and why no agent sends such events yet. */
export const eventGroups: readonly { name: string; tone: Tone; why?: string }[] = [
  { name: "Alert-related events", tone: "alert" },
  { name: "Antivirus", tone: "alert" },
  { name: "Application control", tone: "other", why: windows },
  { name: "Application Guard", tone: "other", why: windows },
  { name: "Exploit protection", tone: "alert", why: windows },
  { name: "File events", tone: "file" },
  { name: "Firewall events", tone: "network", why: windows },
  { name: "Image load", tone: "file" },
  { name: "Logon and user activity", tone: "logon" },
  { name: "Network events", tone: "network" },
  { name: "Other events", tone: "other" },
  { name: "Process events", tone: "process" },
  { name: "Registry events", tone: "other", why: windows },
  { name: "Response actions", tone: "alert" },
  { name: "Scheduled task", tone: "logon" },
  { name: "Script events", tone: "process" },
  { name: "Smart Screen events", tone: "other", why: windows },
  { name: "Techniques", tone: "alert" },
];

export type Tone = "process" | "network" | "file" | "logon" | "alert" | "other";

/** The tones from the bottom of a bar to its top, with their words. */
export const tones: readonly { tone: Tone; word: string }[] = [
  { tone: "process", word: "Processes" },
  { tone: "network", word: "Network" },
  { tone: "file", word: "Files" },
  { tone: "logon", word: "Logons and tasks" },
  { tone: "other", word: "Other" },
  { tone: "alert", word: "Alerts and actions" },
];

const byName = new Map(eventGroups.map((g) => [g.name, g.tone]));
export const toneOf = (group: string): Tone => byName.get(group) ?? "other";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const stamp = (v: readonly string[] | undefined): number | undefined => {
  const t = Date.parse(v?.[0] ?? "");
  return Number.isNaN(t) ? undefined : t;
};

/** The range of the chart: a preset of days up to now, or one of one's own. Both ends are whole hours or as given, so that a query stays the same for a while. */
export function chartRange(filters: Filters, now: number): Span {
  const from = stamp(filters.since);
  const to = stamp(filters.until);
  if (from !== undefined && to !== undefined && from < to) return { from, to };
  const days = Number(filters.days?.[0] ?? "30");
  const end = Math.ceil((now + 1) / hour) * hour;
  return { from: end - days * day, to: end };
}

/** The highlighted part of the range; undefined when it is all of it. */
export function highlight(filters: Filters, range: Span): Span | undefined {
  const from = stamp(filters.from);
  const to = stamp(filters.to);
  if (from === undefined || to === undefined || from >= to) return undefined;
  const cut = { from: Math.max(from, range.from), to: Math.min(to, range.to) };
  return cut.from < cut.to ? cut : undefined;
}

export const iso = (t: number): string => new Date(t).toISOString().replace(".000Z", "Z");

/** The query of the list for what the page shows. The end is left open when it is now, so that new events come in. */
export function listQuery(q: string, filters: Filters, range: Span, sel: Span | undefined, custom: boolean): Record<string, string> {
  const out: Record<string, string> = { ...common(q, filters), from: iso(sel?.from ?? range.from) };
  if (sel) out.to = iso(sel.to);
  else if (custom) out.to = iso(range.to);
  return out;
}

/** The query of the chart. */
export const countQuery = (q: string, filters: Filters, range: Span): Record<string, string> => ({ ...common(q, filters), from: iso(range.from), to: iso(range.to) });

function common(q: string, filters: Filters): Record<string, string> {
  const out: Record<string, string> = {};
  if (q !== "") out.q = q;
  for (const name of ["event_group", "action", "technique"]) {
    const v = filters[name];
    if (v && v.length > 0) out[name] = v.map((x) => x.replaceAll(",", "%2C")).join(",");
  }
  if (filters.flagged?.[0] === "true") out.flagged = "true";
  return out;
}

/** The shortest part that can be highlighted. */
export const shortest = minute;

/** Moves a part within a range; its length stays. */
export function moved(s: Span, by: number, range: Span): Span {
  const d = Math.min(Math.max(by, range.from - s.from), range.to - s.to);
  return { from: s.from + d, to: s.to + d };
}

/** Moves one end of a part; the ends never cross. */
export function resized(s: Span, end: "from" | "to", to: number, range: Span): Span {
  if (end === "from") return { from: Math.min(Math.max(to, range.from), s.to - shortest), to: s.to };
  return { from: s.from, to: Math.max(Math.min(to, range.to), s.from + shortest) };
}

/** Makes a part longer or shorter around a moment. */
export function zoomed(s: Span, around: number, factor: number, range: Span): Span {
  const length = Math.min(Math.max((s.to - s.from) * factor, shortest), range.to - range.from);
  const at = (around - s.from) / (s.to - s.from);
  const from = Math.min(Math.max(around - at * length, range.from), range.to - length);
  return { from, to: from + length };
}

/** Two ends in any order as a part, at least as long as it must be. */
export function between(a: number, b: number, range: Span): Span {
  const from = Math.max(Math.min(a, b), range.from);
  return { from: Math.min(from, range.to - shortest), to: Math.min(Math.max(Math.max(a, b), from + shortest), range.to) };
}

export interface Bar {
  x: number;
  width: number;
  start: number;
  total: number;
  parts: { tone: Tone; y: number; height: number; n: number }[];
}

/** The bars of a chart, in a box of a width and a height. Heights go by the square root, so that few events beside many can be seen. */
export function bars(buckets: readonly { start: string; groups: Readonly<Record<string, number>> }[], step: number, range: Span, width: number, height: number): Bar[] {
  const sums = buckets.map((b) => {
    const by = new Map<Tone, number>();
    for (const [g, n] of Object.entries(b.groups)) by.set(toneOf(g), (by.get(toneOf(g)) ?? 0) + n);
    return { start: Date.parse(b.start), by, total: [...by.values()].reduce((a, n) => a + n, 0) };
  });
  const most = Math.max(1, ...sums.map((s) => s.total));
  const scale = width / (range.to - range.from);
  return sums.map((s) => {
    const full = Math.max(2, Math.sqrt(s.total / most) * height);
    let y = height;
    const parts = tones.flatMap(({ tone }) => {
      const n = s.by.get(tone) ?? 0;
      if (n === 0) return [];
      const h = (n / s.total) * full;
      y -= h;
      return [{ tone, y, height: h, n }];
    });
    return { x: (s.start - range.from) * scale, width: Math.max(1, step * scale - 1), start: s.start, total: s.total, parts };
  });
}

/** Moments to write below a chart: at most `most`, at round times of the reader's clock. */
export function ticks(range: Span, most: number): number[] {
  const steps = [5 * minute, 15 * minute, 30 * minute, hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 5 * day, 10 * day, 30 * day, 90 * day];
  const step = steps.find((s) => (range.to - range.from) / s <= most) ?? 365 * day;
  const zone = new Date(range.from).getTimezoneOffset() * minute;
  const out: number[] = [];
  for (let t = Math.ceil((range.from - zone) / step) * step + zone; t <= range.to; t += step) out.push(t);
  return out;
}
