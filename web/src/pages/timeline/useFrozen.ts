import { useState } from "react";

interface Frozen<T> {
  key: string;
  rows: readonly T[];
}

/**
 * The rows of a list to which new ones come at the top all the time: while
 * somebody reads they stay as they are, and it is counted how many wait.
 */
export function useFrozen<T extends { id: string }>(key: string, fresh: readonly T[] | undefined, reading: boolean): { rows: readonly T[] | undefined; waiting: number; take: () => void } {
  const [shown, setShown] = useState<Frozen<T>>();
  let now = shown;
  if (fresh && fresh !== shown?.rows && (!reading || shown?.key !== key)) {
    now = { key, rows: fresh };
    setShown(now);
  }
  const known = new Map((now?.rows ?? []).map((r) => [r.id, r]));
  const waiting = fresh && now?.key === key ? fresh.filter((r) => !known.has(r.id)).length : 0;
  // What is known of the rows may change while they stay: a flag.
  const latest = new Map((fresh ?? []).map((r) => [r.id, r]));
  return { rows: now?.rows.map((r) => latest.get(r.id) ?? r), waiting, take: () => fresh && setShown({ key, rows: fresh }) };
}
