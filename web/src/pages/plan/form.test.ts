import { expect, test } from "vitest";
import { formatForm, goalOf, limitProblem, parseForm } from "./form";

test("the form survives the URL", () => {
  const urls: Record<string, string>[] = [{}, { target: "12.5", restarts: "3", devices: "40", types: "Update,Restart", exclude: "a,b" }, { basket: "1" }, { types: "Nonsense", target: "x" }];
  for (const raw of urls) {
    const f = parseForm(raw);
    expect(parseForm(formatForm(f))).toEqual(f);
  }
  expect(formatForm(parseForm({}))).toEqual({});
  expect(parseForm({ target: "200" }).target).toBe(30);
  expect(parseForm({ target: "0" }).target).toBe(0);
});

test("what is asked is what the form says", () => {
  const f = parseForm({ target: "20", devices: "1,000" });
  expect(goalOf(f, [])).toEqual({ target: 20, types: ["Update", "Upgrade", "Uninstall", "ConfigurationChange", "Restart"], exclude: [], max_devices: 1000 });
  expect(goalOf({ ...f, basket: true }, ["a"])).toEqual({ target: 20, recommendations: ["a"] });
  expect(goalOf({ ...f, restarts: "many" }, [])).toBeNull();
  expect(limitProblem("many")).not.toBe("");
  expect(limitProblem("")).toBe("");
});
