import { useCallback, useEffect, useRef, useState } from "react";
import { Mistake, runHunt } from "../../api/hunting";
import { explain } from "../../api/client";
import type { HuntMistake, HuntStatistics } from "../../api/schema";
import type { HuntColumn } from "../../lib/huntChart";
import type { Cell } from "../../lib/kql";

/** How many rows a page holds; an export has all of them. */
export const mostRows = 10_000;

export interface Hunt {
  /** Rises with every run. */
  n: number;
  running: boolean;
  query: string;
  columns: HuntColumn[];
  rows: Cell[][];
  chart?: string;
  statistics?: HuntStatistics;
  notes: string[];
  error: string;
  mistake?: HuntMistake;
  canceled: boolean;
}

const nothing: Hunt = { n: 0, running: false, query: "", columns: [], rows: [], notes: [], error: "", canceled: false };

/** One run of a query at a time: a new one ends the one before, leaving the page too. */
export function useHunt(): { hunt: Hunt; run: (query: string, from: string | undefined, done: (rows: number) => void) => void; cancel: () => void } {
  const [hunt, setHunt] = useState<Hunt>(nothing);
  const at = useRef<AbortController | null>(null);
  const count = useRef(0);
  useEffect(() => () => at.current?.abort(), []);
  const cancel = useCallback(() => at.current?.abort(), []);
  const run = useCallback((query: string, from: string | undefined, done: (rows: number) => void) => {
    at.current?.abort();
    const stop = new AbortController();
    at.current = stop;
    const n = ++count.current;
    const now: Hunt = { ...nothing, n, running: true, query };
    let told = 0;
    const tell = (always: boolean) => {
      if (count.current !== n || (!always && performance.now() - told < 150)) return;
      told = performance.now();
      setHunt({ ...now });
    };
    tell(true);
    runHunt({ query, from, limit: mostRows }, stop.signal, {
      schema: (columns, chart) => {
        now.columns = columns;
        now.chart = chart;
      },
      rows: (rows) => {
        now.rows = now.rows.concat(rows);
        tell(false);
      },
      progress: (s) => {
        now.statistics = s;
        tell(false);
      },
      done: (s, notes) => {
        now.statistics = s;
        now.notes = notes;
        done(s.rows);
      },
    })
      .catch((err: unknown) => {
        if (stop.signal.aborted) now.canceled = true;
        else if (err instanceof Mistake) now.mistake = err.mistake;
        else now.error = explain(err);
      })
      .finally(() => {
        now.running = false;
        tell(true);
      });
  }, []);
  return { hunt, run, cancel };
}
