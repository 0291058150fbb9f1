import { huntsKey } from "../../lib/hunts";

/** The queries that somebody ran in this browser, the newest first. Signing out forgets them. */
export interface PastQuery {
  query: string;
  at: string;
  rows: number;
}

const most = 50;

export function readHistory(user: string): PastQuery[] {
  try {
    const list = JSON.parse(localStorage.getItem(huntsKey + user) ?? "[]") as unknown;
    return Array.isArray(list) ? (list as Partial<PastQuery>[]).filter((h): h is PastQuery => typeof h.query === "string" && typeof h.at === "string" && typeof h.rows === "number") : [];
  } catch {
    return [];
  }
}

/** Notes a run; the same query before it is left out. */
export function noteRun(user: string, query: string, rows: number, at: Date): void {
  const list = [{ query, rows, at: at.toISOString() }, ...readHistory(user).filter((h) => h.query !== query)].slice(0, most);
  try {
    localStorage.setItem(huntsKey + user, JSON.stringify(list));
  } catch {
    // no room: history is a convenience
  }
}
