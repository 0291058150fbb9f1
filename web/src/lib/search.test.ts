import { describe, expect, test } from "vitest";
import { apiQuery, formatList, nextSort, parse, parseList, stringify, toggle, type ListSpec, type ListState, type RawSearch } from "./search";

const spec: ListSpec = {
  filters: { severity: ["Critical", "High", "Low"], exposed: ["true", "false"], vendor: "any" },
  sorts: ["cvss", "name"],
  sort: ["-cvss"],
  defaults: { exposed: ["true"] },
  extra: ["tab"],
};
const state = (part: Partial<ListState> = {}): ListState => ({ q: "", filters: { exposed: ["true"] }, sort: ["-cvss"], page: 1, size: 30, open: "", view: "", ...part });

const good: [string, string, ListState][] = [
  ["empty", "", state()],
  ["filters", "?severity=Critical,High", state({ filters: { severity: ["Critical", "High"], exposed: ["true"] } })],
  ["default lifted", "?exposed=any", state({ filters: {} })],
  ["default turned", "?exposed=false", state({ filters: { exposed: ["false"] } })],
  ["free values", "?vendor=a%252Cb,c", state({ filters: { exposed: ["true"], vendor: ["a,b", "c"] } })],
  ["all", "?open=CVE-2024-1&page=3&q=open%20ssl&size=50&sort=name,-cvss&view=logic", state({ q: "open ssl", sort: ["name", "-cvss"], page: 3, size: 50, open: "CVE-2024-1", view: "logic" })],
];

describe("list state in the URL", () => {
  test.each(good)("%s: URL to state and back", (_, url, want) => {
    const { state: got, dropped } = parseList(spec, parse(url), 30);
    expect(got).toEqual(want);
    expect(dropped).toEqual([]);
    expect(stringify(formatList(spec, got, 30))).toBe(url);
  });

  const bad: [string, RawSearch, string[]][] = [
    ["unknown key", { nonsense: "1" }, ["nonsense=1"]],
    ["unknown filter value", { severity: "High,Awful" }, ["severity=Awful"]],
    ["unknown sort key", { sort: "-height,name" }, ["sort=-height"]],
    ["bad page", { page: "-2" }, ["page=-2"]],
    ["page that is no number", { page: "1e99" }, ["page=1e99"]],
    ["size that is not offered", { size: "31" }, ["size=31"]],
    ["markup", { page: "<script>", size: "NaN" }, ["page=<script>", "size=NaN"]],
  ];
  test.each(bad)("%s is dropped and named", (_, raw, want) => {
    const { state: got, dropped } = parseList(spec, raw, 30);
    expect(dropped).toEqual(want);
    expect(got.page).toBe(1);
    expect(got.size).toBe(30);
  });

  test("every state survives the way through the URL", () => {
    const words = ["", "a", "a,b", "100%", "%2C", "ü ß", "a&b=c", "x".repeat(300)];
    let seed = 7;
    const pick = <T,>(list: readonly T[]): T => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return list[seed % list.length] as T;
    };
    for (let i = 0; i < 500; i++) {
      const filters: Record<string, string[]> = {};
      const severity = pick<string[]>([[], ["Critical"], ["Critical", "Low"]]);
      if (severity.length > 0) filters.severity = severity;
      const exposed = pick<string[]>([[], ["true"], ["false"], ["true", "false"]]);
      if (exposed.length > 0) filters.exposed = exposed;
      const vendor = [...new Set([pick(words), pick(words)])].filter((w) => w !== "");
      if (vendor.length > 0) filters.vendor = vendor;
      const want = state({ q: pick(words), filters, sort: pick([["-cvss"], ["name"], ["name", "cvss"]]), page: pick([1, 2, 77]), size: pick([30, 50, 100]), open: pick(words), view: pick(["", "logic"]) });
      const { state: got, dropped } = parseList(spec, parse(stringify(formatList(spec, want, 50))), 50);
      expect(dropped).toEqual([]);
      expect(got).toEqual(want);
    }
  });

  test("keys are sorted and values readable", () => {
    expect(stringify({ z: "1", a: "x,y", m: "2024-01-01T00:00:00Z", none: "" })).toBe("?a=x,y&m=2024-01-01T00:00:00Z&z=1");
  });

  test("the preferred size is left out, another is kept", () => {
    expect(formatList(spec, state({ size: 50 }), 50)).toEqual({});
    expect(formatList(spec, state({ size: 30 }), 50)).toEqual({ size: "30" });
  });
});

test("the API gets the same names; an export has no page", () => {
  const s = state({ q: "ssl", filters: { severity: ["High", "Low"], exposed: ["true"] }, page: 2, open: "CVE-1" });
  expect(apiQuery(s, true)).toEqual({ q: "ssl", severity: "High,Low", exposed: "true", sort: "-cvss", page: "2", size: "30" });
  expect(apiQuery(s, false)).toEqual({ q: "ssl", severity: "High,Low", exposed: "true", sort: "-cvss" });
});

test.each([
  [["-cvss"], "cvss", false, ["cvss"]],
  [["cvss"], "cvss", false, ["-cvss"]],
  [["-cvss"], "name", false, ["name"]],
  [["-cvss"], "name", true, ["-cvss", "name"]],
  [["-cvss", "name"], "cvss", true, ["cvss", "name"]],
] as const)("sort %j, click on %s, shift %s", (sort, key, add, want) => {
  expect(nextSort([...sort], key, add, "asc")).toEqual(want);
});

test("toggle adds and takes away", () => {
  expect(toggle(["a"], "b")).toEqual(["a", "b"]);
  expect(toggle(["a", "b"], "a")).toEqual(["b"]);
});
