import { describe, expect, it } from "vitest";
import { bars, between, chartRange, countQuery, eventGroups, highlight, listQuery, moved, resized, ticks, zoomed, type Span } from "./timeline";

const hour = 3_600_000;
const now = Date.parse("2026-11-26T14:20:00Z");
const range: Span = { from: now - 10 * hour, to: now };

describe("ranges", () => {
  it("ends at the next whole hour, so that a query stays the same", () => {
    const a = chartRange({ days: ["1"] }, now);
    expect(new Date(a.to).toISOString()).toBe("2026-11-26T15:00:00.000Z");
    expect(a.to - a.from).toBe(24 * hour);
    expect(chartRange({ days: ["1"] }, now + 60_000)).toEqual(a);
  });
  it("takes two moments of one's own, and not half of them", () => {
    expect(chartRange({ since: ["2026-11-01T00:00:00Z"], until: ["2026-11-02T00:00:00Z"] }, now).to).toBe(Date.parse("2026-11-02T00:00:00Z"));
    expect(chartRange({ since: ["2026-11-01T00:00:00Z"], days: ["7"] }, now).to).toBeGreaterThan(now);
    expect(chartRange({ since: ["x"], until: ["2026-11-02T00:00:00Z"], days: ["7"] }, now).to).toBeGreaterThan(now);
  });
  it("cuts the highlighted part to the range, and drops one outside", () => {
    const iso = (t: number) => [new Date(t).toISOString()];
    expect(highlight({ from: iso(range.from - hour), to: iso(range.from + hour) }, range)).toEqual({ from: range.from, to: range.from + hour });
    expect(highlight({ from: iso(range.to + hour), to: iso(range.to + 2 * hour) }, range)).toBeUndefined();
    expect(highlight({}, range)).toBeUndefined();
  });
  it("leaves the end open while it is now", () => {
    expect(listQuery("", {}, range, undefined, false)).not.toHaveProperty("to");
    expect(listQuery("", {}, range, undefined, true)).toHaveProperty("to");
    expect(listQuery("curl", { event_group: ["File events"], flagged: ["true"] }, range, { from: range.from, to: range.from + hour }, false)).toMatchObject({ q: "curl", event_group: "File events", flagged: "true", to: "2026-11-26T05:20:00Z" });
    expect(countQuery("", { action: ["A,B"] }, range)).toMatchObject({ action: "A%2CB" });
  });
});

describe("the highlighted part", () => {
  const part = { from: range.from + hour, to: range.from + 3 * hour };
  it("moves within the range and keeps its length", () => {
    expect(moved(part, hour, range)).toEqual({ from: part.from + hour, to: part.to + hour });
    expect(moved(part, 100 * hour, range)).toEqual({ from: range.to - 2 * hour, to: range.to });
    expect(moved(part, -100 * hour, range)).toEqual({ from: range.from, to: range.from + 2 * hour });
  });
  it("has ends that never cross", () => {
    expect(resized(part, "from", part.to + hour, range)).toEqual({ from: part.to - 60_000, to: part.to });
    expect(resized(part, "to", range.from, range)).toEqual({ from: part.from, to: part.from + 60_000 });
  });
  it("zooms around a moment", () => {
    const half = zoomed(part, part.from, 0.5, range);
    expect(half).toEqual({ from: part.from, to: part.from + hour });
    expect(zoomed(part, part.from, 1000, range)).toEqual(range);
  });
  it("is made of two ends in any order", () => {
    expect(between(part.to, part.from, range)).toEqual(part);
    const least = between(range.to, range.to, range);
    expect(least.to - least.from).toBe(60_000);
  });
});

describe("bars", () => {
  it("stand where their time is and are as high as their share", () => {
    const b = bars(
      [
        { start: new Date(range.from).toISOString(), groups: { "Process events": 3, "Network events": 1 } },
        { start: new Date(range.from + 5 * hour).toISOString(), groups: { "Process events": 16 } },
      ],
      hour, range, 1000, 80,
    );
    expect(b.map((x) => Math.round(x.x))).toEqual([0, 500]);
    expect(b[1]?.parts[0]?.height).toBe(80);
    const parts = b[0]?.parts ?? [];
    expect(parts.map((p) => p.tone)).toEqual(["process", "network"]);
    expect(parts.reduce((n, p) => n + p.height, 0)).toBeCloseTo(40);
  });
  it("know every group once", () => {
    expect(new Set(eventGroups.map((g) => g.name)).size).toBe(eventGroups.length);
  });
});

it("has few ticks, all within the range", () => {
  for (const length of [hour, 24 * hour, 30 * 24 * hour, 4000 * 24 * hour]) {
    const t = ticks({ from: now - length, to: now }, 8);
    expect(t.length).toBeLessThanOrEqual(13);
    expect(t.every((x) => x >= now - length && x <= now)).toBe(true);
  }
});
