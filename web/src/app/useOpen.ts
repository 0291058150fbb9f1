import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import type { RawSearch } from "../lib/search";
import { without } from "./Anchor";

/** The flyout that the URL opens on a page without a list, and how to show and to close one. */
export function useOpen(): { open: string; show: (id: string) => void; close: () => void } {
  const raw: RawSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const show = useCallback(
    (id: string) => {
      void navigate({ to: ".", search: ((before: RawSearch) => ({ ...before, open: id })) });
    },
    [navigate],
  );
  const close = useCallback(() => {
    void navigate({ to: ".", search: ((before: RawSearch) => without(before, "open")) });
  }, [navigate]);
  return { open: raw.open ?? "", show, close };
}
