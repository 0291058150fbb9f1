/** Words and numbers as people read them. Everything takes `now` rather than asking the clock. */

const whole = new Intl.NumberFormat("en");
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const dayFormat = new Intl.DateTimeFormat("en", { year: "numeric", month: "short", day: "numeric" });
const dateFormat = new Intl.DateTimeFormat("en", { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });
const clockFormat = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const momentFormat = new Intl.DateTimeFormat("en", { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export const number = (n: number): string => whole.format(n);

/** "1,236.0": to one decimal. */
export const tenth = (n: number): string => tenths.format(n);

/** "1 device", "12,000 devices", "2 weaknesses". */
export const plural = (n: number, one: string, many = one.endsWith("s") ? `${one}es` : `${one}s`): string => `${whole.format(n)} ${n === 1 ? one : many}`;

/** A time that the server sent, null when it is absent or Go's zero time. */
export function time(text: string | undefined | null): Date | null {
  if (!text || text.startsWith("0001-01-01")) return null;
  const d = new Date(text);
  return Number.isNaN(d.getTime()) ? null : d;
}

export const day = (d: Date): string => dayFormat.format(d);

/** A calendar day that the server sent as YYYY-MM-DD: the same day in every time zone. */
export function date(text: string): string {
  const d = time(text);
  return d ? dateFormat.format(d) : text;
}

export const timeOfDay = (d: Date): string => clockFormat.format(d);

export const moment = (d: Date): string => momentFormat.format(d);

/** A moment as a field of date and time has it, to the minute or second, in the reader's own time; "" for what is no moment. */
export function localTime(text: string | number | undefined, seconds = true): string {
  const t = new Date(text ?? "").getTime();
  return Number.isNaN(t) ? "" : new Date(t - new Date(t).getTimezoneOffset() * 60_000).toISOString().slice(0, seconds ? 19 : 16);
}

/** "just now", "5 min ago", "3 h ago", "2 days ago", then the date. */
export function ago(d: Date, now: Date): string {
  const s = Math.round((now.getTime() - d.getTime()) / 1000);
  if (s < 0) return s > -90 ? "just now" : moment(d);
  if (s < 45) return "just now";
  if (s < 3600) return `${Math.max(1, Math.round(s / 60))} min ago`;
  if (s < 86_400) return `${Math.round(s / 3600)} h ago`;
  if (s < 30 * 86_400) return `${plural(Math.round(s / 86_400), "day")} ago`;
  return day(d);
}

/** "8.1", "10.0"; "–" for no score. */
export const score = (n: number): string => (n > 0 ? n.toFixed(1) : "–");

/** A probability as per cent: "0.04 %", "12.3 %", "97 %"; "–" when unknown. */
export function percent(p: number): string {
  if (p <= 0) return "–";
  const v = p * 100;
  if (v < 0.1) return "< 0.1 %";
  return `${v < 10 ? v.toFixed(1) : v.toFixed(0)} %`;
}

/** "15.6 GB" of 1024³ bytes. */
export function bytes(n: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let v = n;
  let i = 0;
  while (v >= 1024 && i < units.length - 1) {
    v /= 1024;
    i++;
  }
  return `${v >= 100 || i === 0 ? v.toFixed(0) : v.toFixed(1)} ${units[i] ?? ""}`;
}

/** A clause of the server's as a sentence. */
export const sentence = (text: string): string => (text === "" ? "" : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
