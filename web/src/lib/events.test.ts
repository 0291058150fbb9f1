import { describe, expect, it } from "vitest";
import { course, kindWord, share, spark, stepIsGood, stepSays } from "./events";

describe("events", () => {
  it("names kinds, also those of a newer server", () => {
    expect(kindWord("AddedToKEV")).toBe("Added to KEV");
    expect(kindWord("SomethingElse")).toBe("SomethingElse");
  });
  it("says how a score went and whether that is good", () => {
    const step = { score: "exposure", trend: "up", before: 1.234, after: 2 };
    expect(stepSays(step)).toBe("Exposure score went up from 1.23 to 2.00");
    expect(stepIsGood(step)).toBe(false);
    expect(stepIsGood({ ...step, score: "secure" })).toBe(true);
    expect(stepSays({ score: "secure", trend: "same", before: 80, after: 80 })).toBe("Secure score stayed at 80.00 %");
    expect(stepSays({ ...step, trend: "unknown" })).toBe("Exposure score: not known");
    expect(stepIsGood({ ...step, trend: "unknown" })).toBe(false);
  });
  it("shows shares that are neither nothing nor all as what they are", () => {
    expect([0, 0.01, 12.34, 99.96, 100].map(share)).toEqual(["0 %", "< 0.1 %", "12.3 %", "100 %", "100 %"]);
  });
  it("draws counts", () => {
    expect(course([1, 5, 2])).toBe("rising");
    expect(course([3, 3])).toBe("level");
    expect(course([3, 0])).toBe("falling");
    expect(spark([0, 2, 1], 10, 4)).toBe("M0.0 4.0L5.0 0.0L10.0 2.0");
    expect(spark([2, 2], 10, 4)).toBe("M0.0 2.0L10.0 2.0");
  });
});
