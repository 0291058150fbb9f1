import { expect, test } from "vitest";
import { ring, shares } from "./arc";

test("shares add up to the whole and keep their order", () => {
  expect(shares([1, 1, 2])).toEqual([[0, 0.25], [0.25, 0.5], [0.5, 1]]);
  expect(shares([0, 0])).toEqual([[0, 0], [0, 0]]);
});

test("what is there can be seen, what is not stays away", () => {
  const parts = shares([10_000, 1, 0], 0.02);
  const size = parts.map(([a, b]) => b - a);
  expect(size[1]).toBeGreaterThan(0.019);
  expect(size[2]).toBe(0);
  expect(parts[2]?.[1]).toBeCloseTo(1);
});

test("a full ring is drawn as an arc that ends before it starts", () => {
  expect(ring(0, 1, 48, 35)).toMatch(/^M0\.000 -48\.000A48 48 0 1 1 -0\.030 -48\.000L/);
  expect(ring(0, 0.25, 10, 5)).toBe("M0.000 -10.000A10 10 0 0 1 10.000 0.000L5.000 0.000A5 5 0 0 0 0.000 -5.000Z".replace("10.000 0.000", "10.000 -0.000").replace("5.000 0.000", "5.000 -0.000"));
});
