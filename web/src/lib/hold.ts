/**
 * A list that is being read does not jump. When fresh rows of the same page
 * arrive, rows that are on screen take their new values in place, rows that are
 * gone leave, and new rows wait until they are asked for.
 */

/** What to show of `fresh` to someone who reads `shown`, and how many rows wait. */
export function hold<T>(shown: readonly T[], fresh: readonly T[], key: (row: T) => string): { rows: T[]; waiting: number } {
  const now = new Map(fresh.map((r) => [key(r), r]));
  const rows: T[] = [];
  for (const r of shown) {
    const next = now.get(key(r));
    if (next !== undefined) {
      rows.push(next);
      now.delete(key(r));
    }
  }
  return { rows, waiting: now.size };
}
