import { describe, expect, it } from "vitest";
import { labelWords, outcomeCounts, outcomeText, vexOutcome, vexOutcomes, vexStatus } from "./vex";

const counts = { statements: 10, matched: 6, applied: 3, overruled: 1, unmatched_count: 4 };

describe("what came of a document", () => {
  it("adds up to its statements", () => {
    const c = outcomeCounts(counts);
    expect(c).toEqual({ Applied: 3, NotExcepted: 2, Overruled: 1, NotMatched: 4 });
    expect(Object.values(c).reduce((a, b) => a + b)).toBe(counts.statements);
  });
  it("names only what there is", () => {
    expect(outcomeText(counts)).toBe("10 statements: 3 applied, 2 no exception, 1 overruled, 4 not matched.");
    expect(outcomeText({ statements: 1, matched: 0, applied: 0, overruled: 0, unmatched_count: 1 })).toBe("1 statement: 1 not matched.");
    expect(outcomeText({ statements: 0, matched: 0, applied: 0, overruled: 0, unmatched_count: 0 })).toBe("It says nothing about any product.");
  });
});

describe("words", () => {
  it("has one for every outcome and keeps what it does not know", () => {
    for (const o of vexOutcomes) expect(vexOutcome(o).means).not.toBe("");
    expect(vexOutcome("Other").word).toBe("Other");
    expect(vexStatus("under_investigation")).toBe("Under investigation");
  });
  it("reads labels", () => {
    expect(labelWords("vulnerable_code_not_present")).toBe("Vulnerable code not present");
    expect(labelWords("")).toBe("");
  });
});
