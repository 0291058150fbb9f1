import { describe, expect, it, test } from "vitest";
import { flip, mostBasket, toBasket } from "./basket";
import { bound, groupWords, searchWords, stepsPicture, typedNumber, verdict, type PlanFacts } from "./plan";

const base: PlanFacts = { steps: [1, 2], goal: { target: 30 }, reached: true, searched: true, fewest: 2, lowest: true, considered: 9, available: 9, predicted: { score: 29.44 } };

describe("what a plan says", () => {
  const cases: [string, Partial<PlanFacts>, RegExp, RegExp][] = [
    ["the best", {}, /^2 changes bring the score below 30, to 29\.4\.$/, /no smaller set.*none of this size has a lower score/],
    ["smallest", { lowest: false }, /^2 changes/, /^Proven: no smaller set of changes reaches the target\.$/],
    ["bounded", { fewest: 1, lowest: false }, /^2 changes/, /fewer than 1 changes.*at most 1 change more/],
    ["one", { steps: [1], fewest: 1 }, /^1 change brings/, /no smaller/],
    ["there already", { steps: [], fewest: 0 }, /already/, /^$/],
    ["out of reach", { steps: [], reached: false, fewest: 0 }, /cannot be reached: with all 9 recommendations carried out the score is 29\.4/, /^$/],
    ["out of reach of some", { steps: [], reached: false, lowest: false, available: 800, considered: 500 }, /not reached by the 500 recommendations/, /Of 800 recommendations.*the 500 of the highest/],
    ["nothing allowed", { steps: [], reached: false, available: 0, considered: 0 }, /nothing that this plan may do/, /^$/],
    ["limits", { reached: false, fewest: 0 }, /within these limits\. 29\.4 is the lowest/, /^$/],
    ["limits, unproven", { reached: false, lowest: false, fewest: 0 }, /No plan that reaches the target was found/, /^$/],
    ["a basket", { searched: false, reached: false }, /2 changes of your choice/, /Nothing was searched/],
  ];
  for (const [name, part, says, proves] of cases) {
    it(name, () => {
      const p = { ...base, ...part };
      expect(verdict(p).text).toMatch(says);
      expect(verdict(p).good).toBe(p.reached);
      expect(bound(p).join(" ")).toMatch(proves);
    });
  }
});

test("stairs go down from the first score to the last", () => {
  const p = stepsPicture([40, 35, 20], [30], 100, 100);
  expect(p.low).toBeLessThanOrEqual(20);
  expect(p.high).toBeGreaterThanOrEqual(40);
  expect(p.stairs).toBe(`M0 ${p.y(40).toFixed(2)}H50.00V${p.y(35).toFixed(2)}H100.00V${p.y(20).toFixed(2)}`);
  expect(p.y(20)).toBeGreaterThan(p.y(35));
  expect(stepsPicture([12], [], 100, 100).ticks.length).toBeGreaterThan(1);
  expect(stepsPicture([0.2, 0.1], [], 100, 100).high).toBeGreaterThan(0);
});

test("numbers as people type them", () => {
  expect([" ", "12", "1,000", "-1", "x", "1.5"].map(typedNumber)).toEqual([undefined, 12, 1000, null, null, null]);
});

test("a basket holds each thing once, and no more than it may", () => {
  const a = { id: "a", name: "A" };
  expect(flip([], a)).toEqual([a]);
  expect(flip([a], a)).toEqual([]);
  const many = Array.from({ length: mostBasket }, (_, i) => ({ id: String(i), name: "" }));
  expect(flip(many, a)).toHaveLength(mostBasket);
  expect(toBasket([a, a, { id: 3 }, null, "x", { id: "b", name: "B", more: 1 }])).toEqual([a, { id: "b", name: "B" }]);
  expect(toBasket("no")).toEqual([]);
  expect(toBasket([...many, a])).toHaveLength(mostBasket);
});

test("how far a search is, in words", () => {
  expect(searchWords(undefined)).toBe("Searching for the smallest plan …");
  expect(searchWords({ stage: "waiting", done: 0, of: 0 })).toMatch(/waits for its turn/);
  expect(searchWords({ stage: "reading", done: 5000, of: 20_000 })).toBe("Reading the fleet, 25 % …");
  expect(searchWords({ stage: "searching", done: 999, of: 1000 })).toBe("Searching for the smallest plan, 99 % of what it may take …");
});

test("the device groups of a plan", () => {
  expect(groupWords({ all_devices: true, group_names: [] })).toBe("All devices");
  expect(groupWords({ all_devices: false, group_names: ["Web", "Ungrouped devices"] })).toBe("Web, Ungrouped devices");
});
