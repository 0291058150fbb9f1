import { describe, expect, it } from "vitest";
import { rangeOf, withRange } from "./range";

describe("the range of the timeline", () => {
  it("is read from filters and written back", () => {
    const start = { type: ["FixPublished"], days: ["30"] };
    expect(rangeOf(start)).toEqual({ kind: "days", days: "30" });
    const custom = withRange(start, { kind: "custom", from: "2026-01-01", to: "" });
    expect(custom).toEqual({ type: ["FixPublished"], from: ["2026-01-01"] });
    expect(rangeOf(custom)).toEqual({ kind: "custom", from: "2026-01-01", to: "" });
    const all = withRange(custom, { kind: "all" });
    expect(all).toEqual({ type: ["FixPublished"] });
    expect(rangeOf(all)).toEqual({ kind: "all" });
  });
});
