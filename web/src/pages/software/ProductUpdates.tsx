import { useCallback } from "react";
import { softwareUpdates } from "../../api/queries";
import { MissingUpdates } from "../../app/MissingUpdates";
import { useProductId } from "./useProductId";

/** The updates of one product that devices lack. */
export function ProductUpdates() {
  const id = useProductId();
  const query = useCallback((q: Record<string, string>) => softwareUpdates(id, q), [id]);
  return <MissingUpdates key={id} name="product-updates" query={query} exportPath={`/software/${encodeURIComponent(id)}/updates`} />;
}
