/** The geometry of a score over time. Times are milliseconds; the picture's origin is top left. */

export interface TrendPoint {
  at: number;
  value: number;
  /** Version of the formula. */
  version: number;
  /** The weights of devices, in words; left out where they do not matter. */
  weights?: string;
}

/** Whether two points were made by the same method: the same formula, with the same weights of devices. */
const alike = (a: TrendPoint | undefined, b: TrendPoint | undefined): boolean => a?.version === b?.version && a?.weights === b?.weights;

/** At most `most` of the points, in their order: the last of each stretch of time, the first of all, and both sides of a change of the method. */
export function thin<T extends TrendPoint>(points: readonly T[], most: number): T[] {
  const first = points[0];
  const last = points[points.length - 1];
  if (!first || !last || points.length <= most) return [...points];
  const span = (last.at - first.at) / Math.max(1, most - 1) || 1;
  const stretch = (p: T): number => Math.floor((p.at - first.at) / span);
  return points.filter((p, i) => {
    const next = points[i + 1];
    return i === 0 || !next || stretch(next) !== stretch(p) || !alike(next, p) || !alike(points[i - 1], p);
  });
}

export interface Scale {
  /** Bounds and lines of the value axis. */
  low: number;
  high: number;
  ticks: number[];
  x: (at: number) => number;
  y: (value: number) => number;
}

const steps = [1, 2, 5, 10, 20, 25, 50];

/** Fits points into a box: the value axis has three to six round lines around the values, within 0 to 100. */
export function scale(points: readonly TrendPoint[], width: number, height: number): Scale {
  const values = points.map((p) => p.value);
  const least = Math.max(0, Math.min(100, ...values));
  const most = Math.min(100, Math.max(0, ...values));
  const step = steps.find((s) => (most - least) / s <= 3) ?? 50;
  let low = Math.max(0, Math.floor(least / step) * step);
  let high = Math.min(100, Math.ceil(most / step) * step);
  while (high - low < 2 * step) {
    if (high < 100) high = Math.min(100, high + step);
    if (high - low < 2 * step && low > 0) low = Math.max(0, low - step);
  }
  const ticks: number[] = [];
  for (let t = low; t <= high; t += step) ticks.push(t);
  const from = points[0]?.at ?? 0;
  const span = (points[points.length - 1]?.at ?? 0) - from;
  return {
    low,
    high,
    ticks,
    x: (at) => (span > 0 ? ((at - from) / span) * width : width / 2),
    y: (value) => height - ((Math.max(low, Math.min(high, value)) - low) / (high - low)) * height,
  };
}

/** The indexes of the points from which another method holds. */
export const breaks = (points: readonly TrendPoint[]): number[] => points.flatMap((p, i) => (i > 0 && !alike(points[i - 1], p) ? [i] : []));

/** What changed of the method at a point, in a word for the picture and in a sentence. */
export function change(points: readonly TrendPoint[], at: number): { word: string; means: string } {
  const p = points[at];
  const before = points[at - 1];
  if (p && before?.version === p.version) return { word: "weights", means: `From here on devices weigh: ${p.weights ?? ""}` };
  return { word: `formula ${p?.version ?? ""}`, means: `From here on the formula's version is ${p?.version ?? ""}` };
}

/** The lines of the picture, one per method, as SVG paths: values by different methods are not joined. */
export function lines(points: readonly TrendPoint[], s: Scale): string[] {
  const starts = [0, ...breaks(points), points.length];
  return starts.slice(0, -1).map((from, i) =>
    points.slice(from, starts[i + 1]).map((p, k) => `${k === 0 ? "M" : "L"}${s.x(p.at).toFixed(2)} ${s.y(p.value).toFixed(2)}`).join(""),
  );
}

/** The point nearest to a place across, -1 when there are none. */
export function nearest(points: readonly TrendPoint[], s: Scale, x: number): number {
  let best = -1;
  let gap = Infinity;
  points.forEach((p, i) => {
    const d = Math.abs(s.x(p.at) - x);
    if (d < gap) [best, gap] = [i, d];
  });
  return best;
}
