/**
 * The device groups that the console looks at: `?group=1,2` in the address of
 * every page, no group for all of them.
 */

/** The numbers of the selected groups that an address names, as it names them; "" for all. */
export function selected(search: string): string {
  const ids = (new URLSearchParams(search).get("group") ?? "").split(",").filter((v) => /^\d{1,5}$/.test(v));
  return [...new Set(ids)].join(",");
}

/** The value of `group` for a selection, undefined for all groups: then the address names none. */
export function selection(chosen: ReadonlySet<number>, all: readonly number[]): string | undefined {
  const ids = all.filter((id) => chosen.has(id));
  return ids.length === all.length ? undefined : ids.sort((a, b) => a - b).join(",");
}

/** The groups that a selection holds, of those that there are. */
export function chosenOf(group: string, all: readonly number[]): Set<number> {
  if (group === "") return new Set(all);
  const ids = new Set(group.split(",").map(Number));
  return new Set(all.filter((id) => ids.has(id)));
}
