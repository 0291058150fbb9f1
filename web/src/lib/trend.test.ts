import { expect, test } from "vitest";
import { breaks, change, lines, nearest, scale, thin, type TrendPoint } from "./trend";

const at = (...values: number[]): TrendPoint[] => values.map((value, i) => ({ at: i * 60_000, value, version: 1 }));

test.each([
  [[52.3, 52.4], 52, 54],
  [[0, 0], 0, 2],
  [[100, 100], 98, 100],
  [[10, 90], 0, 100],
  [[99.5, 99.9], 98, 100],
  [[31, 36.5], 30, 38],
])("values %j fit an axis from %i to %i", (values, low, high) => {
  const s = scale(at(...values), 200, 100);
  expect([s.low, s.high]).toEqual([low, high]);
  expect(s.ticks.length).toBeGreaterThanOrEqual(3);
  expect(s.ticks.length).toBeLessThanOrEqual(6);
  for (const v of values) {
    expect(s.y(v)).toBeGreaterThanOrEqual(0);
    expect(s.y(v)).toBeLessThanOrEqual(100);
  }
  expect(s.y(low)).toBe(100);
  expect(s.y(high)).toBe(0);
});

test("every pair of scores fits", () => {
  for (let a = 0; a <= 100; a += 0.7) {
    for (let b = a; b <= 100; b += 3.3) {
      const s = scale(at(a, b), 200, 100);
      expect(s.low).toBeLessThanOrEqual(a);
      expect(s.high).toBeGreaterThanOrEqual(b);
      expect(s.low).toBeGreaterThanOrEqual(0);
      expect(s.high).toBeLessThanOrEqual(100);
      expect(s.ticks.length).toBeLessThanOrEqual(6);
    }
  }
});

test("time goes from left to right; a single moment is in the middle", () => {
  const s = scale(at(1, 2, 3), 200, 100);
  expect([s.x(0), s.x(60_000), s.x(120_000)]).toEqual([0, 100, 200]);
  expect(scale(at(1), 200, 100).x(0)).toBe(100);
});

test("another formula starts another line and is marked", () => {
  const points = [...at(10, 20), ...at(0, 0, 50, 60).slice(2).map((p) => ({ ...p, version: 2 }))];
  expect(breaks(points)).toEqual([2]);
  expect(lines(points, scale(points, 300, 100))).toHaveLength(2);
  expect(breaks(at(1, 2, 3))).toEqual([]);
  expect(lines(at(1, 2, 3), scale(at(1, 2, 3), 300, 100))).toEqual([expect.stringMatching(/^M.+L.+L/)]);
});

test("the nearest point is found", () => {
  const points = at(1, 2, 3);
  const s = scale(points, 200, 100);
  expect([nearest(points, s, -5), nearest(points, s, 60), nearest(points, s, 190)]).toEqual([0, 1, 2]);
  expect(nearest([], s, 0)).toBe(-1);
});

test("many points are thinned; ends and changes of the formula stay", () => {
  const points = Array.from({ length: 10_000 }, (_, i) => ({ at: i, value: i % 100, version: i < 3333 ? 1 : 2 }));
  const out = thin(points, 100);
  expect(out.length).toBeLessThanOrEqual(104);
  expect(out.length).toBeGreaterThan(90);
  expect(out[0]).toBe(points[0]);
  expect(out[out.length - 1]).toBe(points[9999]);
  expect(out).toContain(points[3332]);
  expect(out).toContain(points[3333]);
  expect(thin(points.slice(0, 5), 100)).toHaveLength(5);
  expect(thin([], 100)).toEqual([]);
});

test("a change of the weights of devices is a change of method, as one of the formula is", () => {
  const points: TrendPoint[] = at(10, 11, 20, 21, 22).map((p, i) => ({ ...p, version: i < 4 ? 1 : 2, weights: i < 2 ? "Low 0.75" : "Low 0.5" }));
  expect(breaks(points)).toEqual([2, 4]);
  expect(change(points, 2)).toEqual({ word: "weights", means: "From here on devices weigh: Low 0.5" });
  expect(change(points, 4).word).toBe("formula 2");
  expect(lines(points, scale(points, 200, 100))).toHaveLength(3);
  expect(thin(points, 2).map((p) => p.value)).toEqual(expect.arrayContaining([11, 20, 21, 22]));
});
