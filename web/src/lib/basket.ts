/** The basket of recommendations that a what-if is asked about, as a browser's tab keeps it. */

export interface BasketItem {
  id: string;
  name: string;
}

/** As many as the server takes. */
export const mostBasket = 500;

/** Reads a basket from anything; what does not fit is left out. */
export function toBasket(raw: unknown): BasketItem[] {
  if (!Array.isArray(raw)) return [];
  const out: BasketItem[] = [];
  for (const r of raw as unknown[]) {
    const item = (typeof r === "object" && r !== null ? r : {}) as Record<string, unknown>;
    if (typeof item.id === "string" && typeof item.name === "string" && item.id !== "" && !out.some((o) => o.id === item.id) && out.length < mostBasket) out.push({ id: item.id, name: item.name });
  }
  return out;
}

/** Puts an item in or takes it out; a full basket takes no more. */
export function flip(basket: readonly BasketItem[], item: BasketItem): BasketItem[] {
  if (basket.some((b) => b.id === item.id)) return basket.filter((b) => b.id !== item.id);
  return basket.length < mostBasket ? [...basket, item] : [...basket];
}
