import { describe, expect, it } from "vitest";
import { dayAfter, percentFixed, progressWords, ticketWord } from "./remediation";

const counts = (fixed: number, exposed: number, silent = 0) => ({ targets: fixed + exposed + silent, fixed, exposed, silent, removed: 0, not_assessed: 0 });

describe("progress", () => {
  it("names the parts that are there", () => {
    expect(progressWords(counts(2, 1, 1))).toBe("2 fixed, 1 exposed, 1 silent");
    expect(progressWords(counts(0, 0))).toBe("no targets");
  });
  it("is 100 per cent only when all are fixed", () => {
    expect(percentFixed(counts(999, 1))).toBe(99);
    expect(percentFixed(counts(1, 999))).toBe(1);
    expect(percentFixed(counts(3, 0))).toBe(100);
    expect(percentFixed(counts(0, 3))).toBe(0);
    expect(percentFixed(counts(0, 0))).toBe(0);
  });
});

describe("words", () => {
  it("knows every state of a ticket and says none for others", () => {
    expect(ticketWord("in progress").word).toBe("In progress");
    expect(ticketWord("none").word).toBe("No ticket");
  });
  it("counts days over the ends of months", () => {
    expect(dayAfter(new Date("2026-01-31T23:30:00Z"), 30)).toBe("2026-03-02");
  });
});
