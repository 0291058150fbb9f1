import { expect, test } from "vitest";
import { after, kindName, kinds, kindWords, statusMeans, statusWord, statuses } from "./machineActions";

test("isolation ends some hours after now, or when somebody ends it", () => {
  const now = new Date("2026-11-27T10:00:00Z");
  expect(after(8, now)).toBe("2026-11-27T18:00:00.000Z");
  expect(after(0, now)).toBeUndefined();
});

test("every kind and status has words; a kind of another version keeps its own", () => {
  for (const k of kinds) expect(kindWords[k].means.length).toBeGreaterThan(0);
  for (const s of statuses) expect(statusWord[s][0]).not.toBe("");
  expect(kindName("isolate")).toBe("Isolate device");
  expect(kindName("restrict", "Restrict app execution")).toBe("Restrict app execution");
});

test("what is pending says what it waits for", () => {
  expect(statusMeans("Pending", false)).toContain("3 days");
  expect(statusMeans("Pending", true)).not.toContain("3 days");
  expect(statusMeans("Succeeded", true)).toBe("");
});
