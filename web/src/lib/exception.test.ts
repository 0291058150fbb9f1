import { expect, test } from "vitest";
import { dayAfter, exceptionStatus, justifications, recommendationStatus, sameSubject, scoreEffect } from "./exception";

test("only what protects lowers a score", () => {
  expect(justifications.filter((j) => scoreEffect(j).startsWith("Lowers"))).toEqual(["ThirdPartyControl", "AlternateMitigation"]);
});

test("every word has a meaning, and an unknown one is shown as it is", () => {
  expect(exceptionStatus("Resurfaced").word).toBe("Resurfaced");
  expect(recommendationStatus("PartialException").word).toBe("Partial exception");
  expect(recommendationStatus("Else")).toEqual({ word: "Else", means: "", tone: "quiet" });
});

test("days from now", () => expect(dayAfter(30, Date.UTC(2026, 0, 15))).toBe("2026-02-14"));

test("exceptions about exactly the same are told from those about something narrower", () => {
  expect(sameSubject({ recommendation: "va-_-a", product: "a" }, { recommendation: "va-_-a" })).toBe(true);
  expect(sameSubject({ recommendation: "va-_-a" }, { recommendation: "va-_-b" })).toBe(false);
  expect(sameSubject({ recommendation: "", weakness: "CVE-1", product: "", version_from: "", version_to: "", path: "" }, { weakness: "CVE-1" })).toBe(true);
  expect(sameSubject({ recommendation: "", weakness: "", product: "a", version_from: "1", version_to: "", path: "" }, { product: "a" })).toBe(false);
  expect(sameSubject({ recommendation: "", weakness: "", product: "a", version_from: "1", version_to: "", path: "" }, { product: "a", version_from: " 1 " })).toBe(true);
});
