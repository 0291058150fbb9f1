/** The queries that were run in this browser, the newest first. */
export interface PastQuery {
  query: string;
  at: string;
  rows: number;
}

const key = "picket-hunts";
const most = 50;

export function readHistory(): PastQuery[] {
  try {
    const list = JSON.parse(localStorage.getItem(key) ?? "[]") as unknown;
    return Array.isArray(list) ? (list as Partial<PastQuery>[]).filter((h): h is PastQuery => typeof h.query === "string" && typeof h.at === "string" && typeof h.rows === "number") : [];
  } catch {
    return [];
  }
}

/** Notes a run; the same query before it is left out. */
export function noteRun(query: string, rows: number, at: Date): void {
  const list = [{ query, rows, at: at.toISOString() }, ...readHistory().filter((h) => h.query !== query)].slice(0, most);
  try {
    localStorage.setItem(key, JSON.stringify(list));
  } catch {
    // no room: history is a convenience
  }
}
