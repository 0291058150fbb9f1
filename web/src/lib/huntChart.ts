/** How a result of hunting is drawn: its columns as an axis and series. */
import { cellText, type Cell } from "./kql";

export interface HuntColumn {
  name: string;
  type: string;
}

export type ChartKind = "column" | "line" | "pie";

export interface ChartData {
  kind: ChartKind;
  x: string;
  time: boolean;
  /** Words of the axis, or moments. */
  labels: string[];
  series: { name: string; values: (number | null)[] }[];
  /** What is not drawn because there is too much. */
  left: number;
}

const numeric = new Set(["long", "int", "real"]);
const most = { points: 400, bars: 40, slices: 9, series: 8, rows: 500 };

/**
 * A result whose columns are arrays, as make-series gives them, with a row of each of their values: the axis (times, or what comes last) first, then what
 * tells the series, then their numbers. Any other result as it is.
 */
export function unrolled(columns: readonly HuntColumn[], rows: readonly (readonly Cell[])[]): { columns: readonly HuntColumn[]; rows: readonly (readonly Cell[])[] } {
  const first = rows[0] ?? [];
  const arrays = columns.flatMap((c, i) => (c.type === "dynamic" && Array.isArray(first[i]) ? [i] : []));
  const isTime = (i: number): boolean => list(first[i]).some((v) => typeof v === "string" && /^\d{4}-\d\d-\d\dT/.test(v));
  const axis = arrays.find(isTime) ?? arrays[arrays.length - 1] ?? -1;
  const drawn = arrays.filter((i) => i !== axis && list(first[i]).every((v) => v === null || typeof v === "number"));
  if (drawn.length === 0) return { columns, rows };
  const words = columns.flatMap((_, i) => (arrays.includes(i) ? [] : [i]));
  const name = (i: number): string => columns[i]?.name ?? "";
  return {
    columns: [{ name: name(axis), type: isTime(axis) ? "datetime" : "string" }, ...(words.length > 0 ? [{ name: words.map(name).join(", "), type: "string" }] : []), ...drawn.map((i) => ({ name: name(i), type: "real" }))],
    rows: rows.slice(0, most.rows).flatMap((r) => list(r[axis]).map((x, n) => [x, ...(words.length > 0 ? [words.map((i) => cellText(r[i])).join(", ")] : []), ...drawn.map((i) => list(r[i])[n] ?? null)])),
  };
}

const list = (v: Cell | undefined): Cell[] => (Array.isArray(v) ? (v as Cell[]) : []);

/** The charts that a result can be drawn as; none without a column of numbers. */
export function chartsOf(columns: readonly HuntColumn[]): ChartKind[] {
  const numbers = columns.some((c) => numeric.has(c.type));
  if (!numbers || columns.length < 2) return [];
  if (columns.some((c) => c.type === "datetime")) return ["line", "column"];
  return columns.some((c) => !numeric.has(c.type)) ? ["column", "pie"] : ["column", "line"];
}

/** The chart that the query's `render` names; undefined: it names none that is drawn. */
export function chartOf(render: string | undefined): ChartKind | undefined {
  switch (render) {
    case "timechart": case "linechart": case "areachart": case "scatterchart": case "stackedareachart": case "anomalychart":
      return "line";
    case "barchart": case "columnchart":
      return "column";
    case "piechart":
      return "pie";
    default:
      return undefined;
  }
}

/** Makes the data of a chart: the first time or word is the axis, a second word parts the series, numbers are what is drawn. */
export function chartData(kind: ChartKind, columns: readonly HuntColumn[], rows: readonly (readonly Cell[])[]): ChartData | undefined {
  const numbers = columns.flatMap((c, i) => (numeric.has(c.type) ? [i] : []));
  let x = columns.findIndex((c) => c.type === "datetime");
  if (x < 0 || kind === "pie") x = columns.findIndex((c) => !numeric.has(c.type));
  if (x < 0) x = numbers.length > 1 ? (numbers.shift() ?? -1) : -1;
  const axis = columns[x];
  if (!axis || numbers.length === 0) return undefined;
  const split = kind === "pie" ? -1 : columns.findIndex((c, i) => i !== x && !numeric.has(c.type) && c.type !== "datetime" && c.type !== "dynamic");
  const time = axis.type === "datetime";
  const at = new Map<string, number>();
  const byName = new Map<string, Map<number, number>>();
  for (const r of rows) {
    const label = cellText(r[x]);
    if (time && label === "") continue;
    let n = at.get(label);
    if (n === undefined) at.set(label, (n = at.size));
    const drawn = kind === "pie" ? numbers.slice(0, 1) : numbers;
    for (const i of drawn) {
      const v = r[i];
      if (typeof v !== "number") continue;
      const column = columns[i]?.name ?? "";
      const name = split < 0 ? column : drawn.length > 1 ? `${cellText(r[split])}, ${column}` : cellText(r[split]) || "(none)";
      const values = byName.get(name) ?? new Map<number, number>();
      values.set(n, (values.get(n) ?? 0) + v);
      byName.set(name, values);
    }
  }
  let labels = [...at.keys()];
  let order = labels.map((_, i) => i);
  if (time || numeric.has(axis.type)) order.sort((a, b) => (time ? cmp(labels[a] ?? "", labels[b] ?? "") : Number(labels[a]) - Number(labels[b])));
  const total = (m: ReadonlyMap<number, number>): number => [...m.values()].reduce((a, v) => a + Math.abs(v), 0);
  const all = [...byName].sort((a, b) => total(b[1]) - total(a[1]));
  const limit = kind === "pie" ? most.slices : kind === "column" && !time ? most.bars : most.points;
  const left = Math.max(0, order.length - limit) + Math.max(0, all.length - most.series);
  if (kind === "pie") order = order.sort((a, b) => (all[0]?.[1].get(b) ?? 0) - (all[0]?.[1].get(a) ?? 0));
  order = time ? order.slice(-limit) : order.slice(0, limit);
  labels = order.map((i) => labels[i] ?? "");
  return { kind, x: axis.name, time, labels, series: all.slice(0, most.series).map(([name, m]) => ({ name, values: order.map((i) => m.get(i) ?? null) })), left };
}

const cmp = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Round numbers from 0 (or below) to beyond the highest value, for an axis. */
export function axisTicks(values: readonly number[], count = 4): number[] {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  if (low === high) return [0, 1];
  const raw = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw) ?? unit * 10;
  const out: number[] = [];
  for (let t = Math.floor(low / step) * step; t < high + step; t += step) out.push(Number(t.toPrecision(12)));
  return out;
}
