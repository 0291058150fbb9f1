import { expect, test } from "vitest";
import { nextPath } from "./LoginPage";

test.each([
  [undefined, "/devices"],
  ["/weaknesses?severity=High", "/weaknesses?severity=High"],
  ["//evil.example/", "/devices"],
  ["/\\evil.example/", "/devices"],
  ["https://evil.example/", "/devices"],
  ["javascript:alert(1)", "/devices"],
  ["/login?next=/login", "/devices"],
])("after sign-in, next=%s leads to %s", (next, want) => {
  expect(nextPath(next)).toBe(want);
});
