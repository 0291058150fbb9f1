import { useCallback, useState } from "react";
import type { Page } from "../api/schema";
import { hold } from "../lib/hold";

interface Shown<T> {
  key: string;
  data: Page<T> | undefined;
  rows: T[];
  waiting: number;
}

/**
 * The rows to show of a list that changes while it is read: at the top of an
 * undisturbed list new rows come in at once; further down, or beside an open
 * flyout, they wait until `take`.
 */
export function useHeld<T>(key: string, data: Page<T> | undefined, placeholder: boolean, rowKey: (row: T) => string, reading: boolean): { rows: readonly T[]; waiting: number; take: () => void; scrolled: (top: boolean) => void } {
  const [shown, setShown] = useState<Shown<T>>({ key, data: undefined, rows: [], waiting: 0 });
  const [top, setTop] = useState(true);
  let now = shown;
  if (data && data !== shown.data && !placeholder) {
    const keep = shown.key === key && shown.data !== undefined && (reading || !top);
    now = keep ? { key, data, ...hold(shown.rows, data.items, rowKey) } : { key, data, rows: data.items, waiting: 0 };
    setShown(now);
  } else if (now.waiting > 0 && !reading && top && now.data) {
    now = { ...now, rows: now.data.items, waiting: 0 };
    setShown(now);
  }
  const take = useCallback(() => {
    setShown((s) => ({ ...s, rows: s.data?.items ?? [], waiting: 0 }));
  }, []);
  const rows = placeholder && now.data === undefined ? (data?.items ?? []) : now.rows;
  return { rows, waiting: now.waiting, take, scrolled: setTop };
}
