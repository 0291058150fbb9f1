import { expect, test } from "vitest";
import { dayAfter, exceptionStatus, justifications, recommendationStatus, scoreEffect } from "./exception";

test("only what protects lowers a score", () => {
  expect(justifications.filter((j) => scoreEffect(j).startsWith("Lowers"))).toEqual(["ThirdPartyControl", "AlternateMitigation"]);
});

test("every word has a meaning, and an unknown one is shown as it is", () => {
  expect(exceptionStatus("Resurfaced").word).toBe("Resurfaced");
  expect(recommendationStatus("PartialException").word).toBe("Partial exception");
  expect(recommendationStatus("Else")).toEqual({ word: "Else", means: "", tone: "quiet" });
});

test("days from now", () => expect(dayAfter(30, Date.UTC(2026, 0, 15))).toBe("2026-02-14"));
