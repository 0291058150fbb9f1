import { expect, test } from "vitest";
import { axisTicks, chartData, chartOf, chartsOf, unrolled } from "./huntChart";
import { aroundQuery, cellText, compareCells, completions, entityQuery, namesOf, placeOf, tokens, type Schema } from "./kql";

const column = (name: string, type = "string") => ({ name, type, description: `${name}.`, filled: true });
const schema: Schema = {
  tables: [
    { name: "DeviceProcessEvents", description: "Starts.", events: true, columns: [column("Timestamp", "datetime"), column("FileName"), column("ProcessId", "long")] },
    { name: "DeviceInfo", description: "Devices.", events: false, columns: [column("DeviceName")] },
  ],
  words: [{ name: "where", kind: "operator", arguments: "", description: "" }, { name: "project-away", kind: "operator", arguments: "", description: "" }, { name: "summarize", kind: "operator", arguments: "", description: "" }, { name: "count", kind: "aggregate", arguments: "()", description: "" }],
};
const names = namesOf(schema);

test("parts have their colours, and together they are the query", () => {
  const text = 'DeviceProcessEvents // "x"\n| where FileName has "a\\"b" and ProcessId > 10 | project-away X | summarize count() by @"c""d"';
  const parts = tokens(text, names);
  expect(parts.map((p) => p.text).join("")).toBe(text);
  const kind = (t: string) => parts.find((p) => p.text === t)?.kind;
  expect([kind("DeviceProcessEvents"), kind('// "x"'), kind("where"), kind("FileName"), kind('"a\\"b"'), kind("10"), kind("project-away"), kind("count"), kind('@"c""d"'), kind("X")]).toEqual(["table", "comment", "operator", "column", "text", "number", "operator", "function", "text", "word"]);
  for (const odd of ["", '"', "'", "h@\"", "é ~ ` ! §", "a\u0000b", "((((", "1.2.3 .."]) expect(tokens(odd, names).map((p) => p.text).join("")).toBe(odd);
});

test("what may be written goes by the place", () => {
  const at = (text: string) => completions(text, text.length, schema).items.map((i) => i.text);
  expect(at("Dev")).toEqual(["DeviceProcessEvents", "DeviceInfo"].reverse());
  expect(at("DeviceProcessEvents | ")).toEqual(["where", "project-away", "summarize"]);
  expect(at("DeviceProcessEvents | wh")).toEqual(["where"]);
  expect(at("DeviceProcessEvents | project-a")).toEqual(["project-away"]);
  expect(completions("T | project-a", 13, schema).from).toBe(4);
  expect(at("DeviceProcessEvents | where File")).toEqual(["FileName"]);
  expect(at("DeviceProcessEvents | where Device")).toEqual([]); // a column of another table
  expect(at("DeviceProcessEvents | extend mine = 1 | where mi")).toContain("mine");
  expect(at('DeviceProcessEvents | where FileName has "Fi')).toEqual([]);
  expect(at("DeviceProcessEvents // wh")).toEqual([]);
  expect(completions("DeviceProcessEvents | where File", 32, schema).from).toBe(28);
});

test("places by line and column", () => {
  expect(placeOf("ab\ncd", 2, 2)).toBe(4);
  expect(placeOf("a😀b", 1, 3)).toBe(3);
  expect(placeOf("ab", 9, 1)).toBe(2);
});

test("cells are ordered, empty ones last", () => {
  expect([3, null, 1, 2].sort((a, b) => compareCells(a, b, false))).toEqual([1, 2, 3, null]);
  expect([3, null, 1, 2].sort((a, b) => compareCells(a, b, true))).toEqual([3, 2, 1, null]);
  expect(["b", "", "a"].sort((a, b) => compareCells(a, b, true))).toEqual(["b", "a", ""]);
  expect(cellText({ a: 1 })).toBe('{"a":1}');
});

test("prepared queries quote what they are given", () => {
  expect(entityQuery("user", 'a"\\\n')).toContain('AccountName =~ "a\\"\\\\\\n"');
  expect(entityQuery("file", "a".repeat(40))).toContain("SHA1 =~");
  expect(aroundQuery("d1", "DeviceProcessEvents", "2026-11-26T10:00:00Z", { ProcessId: 7 })).toContain("ProcessId == 7");
});

test("arrays are drawn as series", () => {
  const cols = [{ name: "Device", type: "string" }, { name: "User", type: "string" }, { name: "N", type: "dynamic" }, { name: "Timestamp", type: "dynamic" }];
  const t = ["2026-01-01T00:00:00.0000000Z", "2026-01-02T00:00:00.0000000Z"];
  const flat = unrolled(cols, [["a", "x", [1, null], t], ["b", "y", [3, 4], t]]);
  expect(chartsOf(flat.columns)).toEqual(["line", "column"]);
  const d = chartData("line", flat.columns, flat.rows);
  expect(d).toMatchObject({ x: "Timestamp", time: true, labels: t, left: 0 });
  expect(d?.series).toEqual([{ name: "b, y", values: [3, 4] }, { name: "a, x", values: [1, null] }]);
  const numbers = unrolled([{ name: "N", type: "dynamic" }, { name: "M", type: "dynamic" }, { name: "Step", type: "dynamic" }], [[[1, 2], [3, 4], [10, 20]]]);
  expect(chartData("line", numbers.columns, numbers.rows)?.series).toEqual([{ name: "M", values: [3, 4] }, { name: "N", values: [1, 2] }]);
  expect(chartData("line", numbers.columns, numbers.rows)?.labels).toEqual(["10", "20"]);
  const texts = [{ name: "A", type: "string" }, { name: "B", type: "dynamic" }];
  expect(unrolled(texts, [["a", ["1", "2"]]]).columns).toBe(texts);
  expect(unrolled(texts, []).columns).toBe(texts);
  expect(chartOf("anomalychart")).toBe("line");
});

test("charts follow from columns", () => {
  const cols = [{ name: "T", type: "datetime" }, { name: "Kind", type: "string" }, { name: "N", type: "long" }];
  expect(chartsOf(cols)).toEqual(["line", "column"]);
  expect(chartsOf([{ name: "A", type: "string" }])).toEqual([]);
  const d = chartData("line", cols, [["2026-01-02", "a", 2], ["2026-01-01", "a", 1], ["2026-01-02", "b", 9], [null, "a", 5]]);
  expect(d?.labels).toEqual(["2026-01-01", "2026-01-02"]);
  expect(d?.series).toEqual([{ name: "b", values: [null, 9] }, { name: "a", values: [1, 2] }]);
  const many = chartData("pie", [{ name: "W", type: "string" }, { name: "N", type: "long" }], Array.from({ length: 20 }, (_, i) => [`w${i}`, i]));
  expect(many?.labels[0]).toBe("w19");
  expect(many?.left).toBe(11);
  expect(chartOf("timechart")).toBe("line");
  expect(chartOf("table")).toBeUndefined();
  expect(axisTicks([3, 17])).toEqual([0, 5, 10, 15, 20]);
});
