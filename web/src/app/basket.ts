import { useSyncExternalStore } from "react";
import { flip, toBasket, type BasketItem } from "../lib/basket";

const key = "picket-basket";

function kept(): BasketItem[] {
  try {
    return toBasket(JSON.parse(sessionStorage.getItem(key) ?? "null"));
  } catch {
    return [];
  }
}

let basket: readonly BasketItem[] = typeof sessionStorage === "undefined" ? [] : kept();
const readers = new Set<() => void>();

function put(next: readonly BasketItem[]): void {
  basket = next;
  try {
    sessionStorage.setItem(key, JSON.stringify(next));
  } catch {
    // a browser without storage keeps it until the page is loaded again
  }
  readers.forEach((r) => r());
}

/** Puts a recommendation into the basket or takes it out. */
export const flipBasket = (item: BasketItem): void => put(flip(basket, item));

export const emptyBasket = (): void => put([]);

/** The basket of this tab: it survives navigation and reloads. */
export function useBasket(): readonly BasketItem[] {
  return useSyncExternalStore(
    (r) => {
      readers.add(r);
      return () => readers.delete(r);
    },
    () => basket,
  );
}
