/** Places of an event's entities: who started whom from left to right, what was touched at the right of who touched it. */

export interface GraphNodeIn {
  id: string;
  kind: string;
  name: string;
}
export interface GraphEdgeIn {
  from: string;
  to: string;
  label: string;
}
export interface Placed {
  id: string;
  column: number;
  row: number;
}

/** Gives every node a column (its longest way from a start) and a row; the rows of a column do not overlap. */
export function place(nodes: readonly GraphNodeIn[], edges: readonly GraphEdgeIn[]): Placed[] {
  const column = new Map(nodes.map((n) => [n.id, 0]));
  const inner = edges.filter((e) => column.has(e.from) && column.has(e.to));
  // A cycle would never end: nothing moves further than there are nodes.
  for (let i = 0; i < nodes.length; i++) {
    let changed = false;
    for (const e of inner) {
      const next = (column.get(e.from) ?? 0) + 1;
      if ((column.get(e.to) ?? 0) < next && next < nodes.length) {
        column.set(e.to, next);
        changed = true;
      }
    }
    if (!changed) break;
  }
  const row = new Map<string, number>();
  const free: number[] = [];
  const done = new Set<string>();
  const visit = (id: string, least: number): void => {
    if (done.has(id)) return;
    done.add(id);
    const c = column.get(id) ?? 0;
    const at = Math.max(free[c] ?? 0, least);
    row.set(id, at);
    free[c] = at + 1;
    let next = at;
    for (const e of inner) {
      if (e.from !== id || done.has(e.to)) continue;
      visit(e.to, next);
      next = (row.get(e.to) ?? next) + 1;
    }
  };
  const targets = new Set(inner.map((e) => e.to));
  for (const n of nodes) if (!targets.has(n.id)) visit(n.id, 0);
  for (const n of nodes) visit(n.id, 0);
  return nodes.map((n) => ({ id: n.id, column: column.get(n.id) ?? 0, row: row.get(n.id) ?? 0 }));
}
