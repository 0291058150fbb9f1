import { useParams } from "@tanstack/react-router";

/** The id of the product whose page is shown. */
export function useProductId(): string {
  const p: { id?: string } = useParams({ strict: false });
  return p.id ?? "";
}
