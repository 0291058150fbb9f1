import { expect, test } from "vitest";
import { capital, countWords, gap, products, releaseName, severityFrom, source, state, stateNames, support, threats, vendor, vendorNames } from "./words";

test("every state has a word and a meaning", () => {
  for (const s of stateNames) {
    expect(state(s).word).not.toBe(s);
    expect(state(s).means).toMatch(/\.$/);
  }
  expect(state("new-state").word).toBe("new-state");
});

test.each([
  [{ exploit: "NoExploit", kev: false, ransomware: false, epss: 0.5 }, []],
  [{ exploit: "ExploitIsPublic", kev: false, ransomware: false, epss: 0 }, ["public"]],
  [{ exploit: "ExploitIsInKit", kev: true, ransomware: true, epss: 0.97 }, ["kit", "kev", "ransomware", "epss"]],
])("threats of %j", (facts, want) => {
  expect(threats(facts).map((t) => t.kind)).toEqual(want);
});

test("counts as words", () => {
  expect(countWords({ critical: 1, high: 0, medium: 2, low: 0, unrated: 3 })).toBe("1 critical, 2 medium, 3 not rated");
  expect(countWords({ critical: 0, high: 0, medium: 0, low: 0, unrated: 0 })).toBe("no weaknesses");
});

test("related software is named once", () => {
  expect(products([{ name: "setuptools" }, { name: "pip" }, { name: "setuptools" }])).toBe("setuptools (2 versions), pip");
});

const debian = { product: "Debian", cycle: "12", ended: false, date: "2028-06-30", regular: "", latest: "12.14" };
test.each([
  [debian, "supported until Jun 30, 2028"],
  [{ ...debian, regular: "2026-06-10" }, "regular support until Jun 10, 2026, long-term support until Jun 30, 2028"],
  [{ ...debian, ended: true }, "no support since Jun 30, 2028"],
  [{ ...debian, ended: true, regular: "2026-06-10" }, "no support since Jun 30, 2028 (regular support until Jun 10, 2026)"],
  [{ ...debian, ended: true, date: "" }, "no support any more"],
  [{ ...debian, date: "" }, "supported, no end is announced"],
])("support of %j", (facts, want) => {
  expect(support(facts)).toBe(want);
  expect(releaseName(facts)).toBe("Debian 12");
});

test("words of ids are shown as names, and unknown ones as they are", () => {
  for (const v of vendorNames) if (v !== "npm") expect(vendor(v)).not.toBe(v);
  expect(vendor("red_hat")).toBe("Red Hat");
  expect(vendor("acme")).toBe("acme");
  expect(source("debian-tracker")).toBe("Debian security tracker");
  expect(source("osv/PyPI")).toBe("OSV PyPI");
  expect(source("somebody")).toBe("somebody");
  expect(severityFrom("CVSS 3.1 (nvd)")).toBe("CVSS 3.1 (NVD)");
  expect(severityFrom("urgency (debian-tracker)")).toBe("urgency (Debian security tracker)");
  expect(severityFrom("")).toBe("");
  expect(capital("no installed package explains it")).toBe("No installed package explains it");
  expect(capital("")).toBe("");
  expect(gap("section restart is incomplete", "restart")).toBe("Restart needed: not complete");
  expect(gap("running kernel not assessed", "kernel")).toBe("Running kernel not assessed");
});
