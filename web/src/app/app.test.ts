import { expect, test } from "vitest";
import { toProblem, explain } from "../api/client";
import { opensTo } from "./Nav";
import { touched } from "../api/live";
import { target } from "./GlobalSearch";
import { noticesOf } from "./Notices";
import { toPrefs } from "./prefs";
import { themeOf } from "./theme";
import { initials } from "./TopBar";

const me = { username: "admin", display_name: "Administrator", role: "Administrator", needs_password: true, needs_factor: false, external: false, administrator: true, permissions: [], all_devices: true };

test("preferences are read from anything", () => {
  const plain = toPrefs(null);
  expect(plain).toEqual({ theme: "system", density: "comfortable", size: 30, navCollapsed: false, columns: {}, folded: [] });
  expect(toPrefs({ theme: "<b>", size: 31, columns: { a: [1] }, folded: "x" })).toEqual(plain);
  expect(toPrefs({ theme: "dark", density: "compact", size: 100, columns: { devices: ["name"] }, folded: ["tags"], navCollapsed: true })).toEqual({
    theme: "dark", density: "compact", size: 100, columns: { devices: ["name"] }, folded: ["tags"], navCollapsed: true,
  });
});

test("forced colours are taken by name, whatever was chosen", () => {
  for (const choice of ["system", "light", "dark", "contrast"] as const) {
    const t = themeOf(choice, true, true);
    expect([t.colorNeutralForeground1, t.colorNeutralBackground1, t.colorBrandForegroundLink]).toEqual(["CanvasText", "Canvas", "LinkText"]);
  }
  expect(themeOf("system", true, false)).toBe(themeOf("dark", false, false));
  expect(themeOf("system", true, false, true)).toBe(themeOf("contrast", false, false)); // more contrast is asked for
  expect(themeOf("light", true, false, true)).toBe(themeOf("light", false, false)); // unless somebody chose otherwise
});

test("a notice is not said twice", () => {
  const st = { version: "1", devices: 1, connected: 1, health: "ok" as const, notices: [], demo_intelligence: true, intelligence_empty: false, weaknesses: 0, needs_password: false };
  expect(noticesOf(st, me, true).map((n) => n.link)).toEqual(["/settings/intelligence", "/settings/account"]);
  const own = { ...st, notices: [{ level: "info", text: "This is demo intelligence.", link: "/settings/intelligence" }] };
  expect(noticesOf(own, { ...me, needs_password: false }, true)).toHaveLength(1);
  expect(noticesOf(undefined, { ...me, needs_password: false }, false)[0]?.text).toMatch(/interrupted/);
});

test("an event marks what it names, anything else everything", () => {
  expect(touched({ resource: "device", id: "d1" })).toEqual([["device", "d1"], ["devices"], ["scores"], ["software"], ["weaknesses"]]);
  expect(touched({ resource: "devices" })).toEqual([["devices"], ["scores"]]);
  expect(touched({ resource: "score" })).toEqual([["scores"], ["device"], ["devices"], ["software"]]);
  expect(touched({ resource: "weaknesses" })).toEqual([["weaknesses"]]);
  expect(touched({ resource: "all" })).toEqual([[]]);
});

test("a hit of the search leads to its page", () => {
  expect(target({ kind: "device", id: "d 1", name: "n", info: "" }).to).toBe("/devices/d%201");
  expect(target({ kind: "software", id: "debian-_-openssl", name: "openssl", info: "" })).toEqual({ to: "/software/debian-_-openssl", search: {} });
  expect(target({ kind: "weakness", id: "CVE-2024-1", name: "CVE-2024-1", info: "" }).search.open).toBe("CVE-2024-1");
});

test.each([["Ada Lovelace", "AL"], ["admin", "A"], ["", ""], ["jean-luc picard", "JP"]])("initials of %s are %s", (name, want) => {
  expect(initials(name)).toBe(want);
});

test("a problem is explained with its fields", () => {
  expect(explain(toProblem(422, { title: "Unprocessable", detail: "validation failed", errors: [{ message: "too long", location: "body.note" }] }))).toBe("validation failed: body.note: too long");
  expect(toProblem(502, "<html>bad gateway</html>").message).toBe("The server answered with status 502");
});

test("the settings show what opens", () => {
  const some = { administrator: false, permissions: ["view.vulnerability-management"], all_devices: true };
  expect(["/devices", "/settings/account", "/settings/onboarding", "/settings/tag-rules", "/settings/permissions"].filter((to) => opensTo(some, to))).toEqual(["/devices", "/settings/account"]);
  const security = { administrator: false, permissions: ["settings.security"], all_devices: false };
  expect(["/settings/onboarding", "/settings/tag-rules", "/settings/audit"].filter((to) => opensTo(security, to))).toEqual(["/settings/onboarding"]);
  expect(opensTo({ ...security, all_devices: true }, "/settings/tag-rules")).toBe(true);
  expect([some, security, { ...some, permissions: ["remediate.security-operations"] }].map((m) => opensTo(m, "/settings/indicators"))).toEqual([false, true, true]);
  expect(opensTo({ ...some, administrator: true }, "/settings/permissions")).toBe(true);
});
