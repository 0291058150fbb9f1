import { expect, test } from "vitest";
import { full, impact, isRelease, levelMeans, levelOf, levelWord, levels, points, remedy, remedyNames, valueMeans, values } from "./exposure";

test("every level, value and remediation has a word and a meaning", () => {
  for (const l of levels) {
    expect(levelWord(l)).not.toBe("");
    expect(levelMeans(l)).toMatch(/\.$/);
  }
  for (const v of values) expect(valueMeans[v]).toMatch(/\.$/);
  for (const r of remedyNames) expect(remedy(r).means).toMatch(/\.$/);
  expect(remedy("New").word).toBe("New");
  expect(levelOf("Extreme")).toBe("NoData");
  expect(levelOf("High")).toBe("High");
});

test.each([[0, "0.0"], [0.01, "< 0.1"], [0.05, "0.1"], [52.34999, "52.3"], [99.94, "99.9"], [99.96, "> 99.9"], [100, "100.0"]])("a score of %f reads %s", (n, want) => {
  expect(points(n)).toBe(want);
});

test.each([[0, "0"], [-0, "0"], [0.0049, "< 0.01"], [0.005, "0.01"], [7.666, "7.67"], [12, "12.00"]])("an impact of %f reads %s", (n, want) => {
  expect(impact(n)).toBe(want);
});

test("a full number keeps its digits", () => {
  expect(full(42.123456789012)).toBe("42.123456789012");
});

test("the release of an operating system is told from software and from settings", () => {
  expect(isRelease({ type: "Upgrade", category: "OS" })).toBe(true);
  expect(isRelease({ type: "Upgrade", category: "Application" })).toBe(false);
  expect(isRelease({ type: "ConfigurationChange", category: "OS" })).toBe(false);
});
