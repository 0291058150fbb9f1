/** What hunting keeps in this browser, each with the user behind it. */
export const huntsKey = "picket-hunts:";

/** Forgets what was kept, whoever it is of. */
export function forgetHunts(): void {
  try {
    for (const k of Object.keys(localStorage)) if (k.startsWith("picket-hunts")) localStorage.removeItem(k);
  } catch {
    // a browser without storage keeps nothing
  }
}
