import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import type { RawSearch } from "../lib/search";
import { without } from "./Anchor";

/** The flyout that the URL opens on a page without a list, and how to close it. */
export function useOpen(): { open: string; close: () => void } {
  const raw: RawSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const close = useCallback(() => {
    void navigate({ to: ".", search: ((before: RawSearch) => without(before, "open")) });
  }, [navigate]);
  return { open: raw.open ?? "", close };
}
