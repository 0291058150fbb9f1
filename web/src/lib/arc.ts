/** Arcs of a doughnut, as SVG paths around (0, 0). */

/** The path of a ring segment from share `from` to share `to` (0 to 1, clockwise from the top). */
export function ring(from: number, to: number, outer: number, inner: number): string {
  const span = Math.min(to - from, 0.9999);
  const a = from * 2 * Math.PI;
  const b = (from + span) * 2 * Math.PI;
  const at = (angle: number, r: number): string => `${(r * Math.sin(angle)).toFixed(3)} ${(-r * Math.cos(angle)).toFixed(3)}`;
  const large = span > 0.5 ? 1 : 0;
  return `M${at(a, outer)}A${outer} ${outer} 0 ${large} 1 ${at(b, outer)}L${at(b, inner)}A${inner} ${inner} 0 ${large} 0 ${at(a, inner)}Z`;
}

/** Start and end share of each value; values that are present get at least `least` of the whole so that they can be seen. */
export function shares(values: readonly number[], least = 0): [number, number][] {
  const total = values.reduce((n, v) => n + v, 0);
  if (total <= 0) return values.map(() => [0, 0]);
  const raised = values.map((v) => (v > 0 ? Math.max(v / total, least) : 0));
  const sum = raised.reduce((n, v) => n + v, 0);
  let at = 0;
  return raised.map((v) => {
    const from = at;
    at += v / sum;
    return [from, at];
  });
}
