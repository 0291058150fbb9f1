import type { SyntheticEvent } from "react";

/** Gives the cell of a table that the pointer or the focus enters its whole text as title, where some of it is cut off. */
export function titleOfCut(e: SyntheticEvent<HTMLElement>): void {
  const cell = (e.target as HTMLElement).closest<HTMLElement>("td");
  if (!cell) return;
  const parts = [cell, ...cell.querySelectorAll<HTMLElement>("*")];
  if (parts.some((p) => p.clientWidth > 0 && (p.scrollWidth > p.clientWidth + 1 || p.scrollHeight > p.clientHeight + 1))) cell.title = cell.innerText.replace(/\s+/g, " ").trim();
  else cell.removeAttribute("title");
}
