import { expect, test } from "vitest";
import { ago, bytes, date, percent, plural, score, sentence, time } from "./format";

const now = new Date("2026-11-21T12:00:00Z");

test.each([
  ["2026-11-21T12:00:05Z", "just now"],
  ["2026-11-21T11:59:30Z", "just now"],
  ["2026-11-21T11:55:00Z", "5 min ago"],
  ["2026-11-21T09:00:00Z", "3 h ago"],
  ["2026-11-20T11:00:00Z", "1 day ago"],
  ["2026-11-11T12:00:00Z", "10 days ago"],
  ["2026-01-02T12:00:00Z", "Jan 2, 2026"],
])("ago(%s) is %s", (at, want) => {
  expect(ago(new Date(at), now)).toBe(want);
});

test.each([[undefined], [""], ["0001-01-01T00:00:00Z"], ["yesterday"]])("time(%s) is no time", (text) => {
  expect(time(text)).toBeNull();
});

test.each([[0, "–"], [0.0004, "< 0.1 %"], [0.0123, "1.2 %"], [0.97, "97 %"]])("percent(%s) is %s", (p, want) => {
  expect(percent(p)).toBe(want);
});

test.each([[0, "–"], [7, "7.0"], [9.8, "9.8"]])("score(%s) is %s", (n, want) => {
  expect(score(n)).toBe(want);
});

test("numbers with their nouns", () => {
  expect(plural(1, "device")).toBe("1 device");
  expect(plural(12_000, "weakness", "weaknesses")).toBe("12,000 weaknesses");
  expect(plural(2, "weakness")).toBe("2 weaknesses");
  expect(bytes(16_777_216_000)).toBe("15.6 GB");
  expect(bytes(512)).toBe("512 B");
});

test.each([["2028-06-30", "Jun 30, 2028"], ["2028-01-01", "Jan 1, 2028"], ["soon", "soon"], ["", ""]])("the calendar day %s is %s", (text, want) => {
  expect(date(text)).toBe(want);
});

test("a clause becomes a sentence", () => {
  expect([sentence(""), sentence("it was silent")]).toEqual(["", "It was silent."]);
});
