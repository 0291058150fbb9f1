import { expect, test } from "vitest";
import { auditAction, auditChanges } from "./audit";

test("operations are told in words", () => {
  expect(auditAction("set-device-value")).toBe("Set device value");
  expect(auditAction("sign-in")).toBe("Sign in");
  expect(auditAction("defender POST machines/tags")).toBe("API: POST machines/tags");
});

test("only what changed is shown, whatever it is", () => {
  expect(auditChanges({ before: { value: "Low", name: "a" }, after: { value: "High", name: "a" } })).toEqual([{ field: "value", before: "Low", after: "High" }]);
  expect(auditChanges({ after: { tags: ["x"] } })).toEqual([{ field: "tags", before: "", after: '["x"]' }]);
  expect(auditChanges({ before: "Low", after: "High" })).toEqual([{ field: "value", before: "Low", after: "High" }]);
  for (const none of [undefined, null, 3, "x", [], {}]) expect(auditChanges(none)).toEqual([]);
});
