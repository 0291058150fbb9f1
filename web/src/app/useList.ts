import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { formatList, parseList, type ListSpec, type ListState, type RawSearch } from "../lib/search";
import { usePrefs } from "./prefs";

export interface ListControl {
  state: ListState;
  /** Parts of the URL that the list does not understand. */
  dropped: string[];
  /** Changes the state; a change of what is listed starts at page 1. `replace` leaves no entry in the history. */
  set: (part: Partial<ListState>, replace?: boolean) => void;
}

/** The state of the list that the URL names. */
export function useList(spec: ListSpec): ListControl {
  const raw: RawSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const { size } = usePrefs();
  const { state, dropped } = useMemo(() => parseList(spec, raw, size), [spec, raw, size]);
  const set = useCallback(
    (part: Partial<ListState>, replace = false) => {
      void navigate({
        to: ".",
        replace,
        search: ((before: RawSearch) => {
          const now = parseList(spec, before, size).state;
          const restart = "q" in part || "filters" in part || "sort" in part || "size" in part;
          const next = { ...now, ...(restart ? { page: 1 } : {}), ...part };
          const other = Object.fromEntries(Object.entries(before).filter(([k]) => spec.extra?.includes(k)));
          return { ...other, ...formatList(spec, next, size) };
        }),
      });
    },
    [navigate, spec, size],
  );
  return { state, dropped, set };
}
