import { expect, test } from "vitest";
import { countWords, products, state, stateNames, threats } from "./words";

test("every state has a word and a meaning", () => {
  for (const s of stateNames) {
    expect(state(s).word).not.toBe(s);
    expect(state(s).means).toMatch(/\.$/);
  }
  expect(state("new-state").word).toBe("new-state");
});

test.each([
  [{ exploit: "NoExploit", kev: false, ransomware: false, epss: 0.5 }, []],
  [{ exploit: "ExploitIsPublic", kev: false, ransomware: false, epss: 0 }, ["public"]],
  [{ exploit: "ExploitIsInKit", kev: true, ransomware: true, epss: 0.97 }, ["kit", "kev", "ransomware", "epss"]],
])("threats of %j", (facts, want) => {
  expect(threats(facts).map((t) => t.kind)).toEqual(want);
});

test("counts as words", () => {
  expect(countWords({ critical: 1, high: 0, medium: 2, low: 0, unrated: 3 })).toBe("1 critical, 2 medium, 3 not rated");
  expect(countWords({ critical: 0, high: 0, medium: 0, low: 0, unrated: 0 })).toBe("no weaknesses");
});

test("related software is named once", () => {
  expect(products([{ name: "setuptools" }, { name: "pip" }, { name: "setuptools" }])).toBe("setuptools (2 versions), pip");
});
