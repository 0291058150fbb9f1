import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { leave, listOf, open, refusal } from "../../testing/console";
import { at, deviceDetail, threats } from "../../testing/rows";

afterEach(leave);

const logon = (name: string, more: Record<string, unknown> = {}) => ({ name, domain: "", sid: "", logons: 4, failed: 0, interactive: 0, types: ["Batch"], local_admin: false, first: "2026-11-01T08:00:00Z", last: at, ...more });
const show = (more: Record<string, unknown> = {}, path = "") =>
  open(`/devices/d1${path}`, {
    "GET /devices/d1": deviceDetail(1), "GET /devices/d1/recommendations": listOf([]), "GET /alerts": listOf([]), "GET /devices/d1/closed": listOf([]), "GET /machine-actions": listOf([]),
    "GET /devices/d1/logonusers": { days: 30, most: "alice", least: "bob", items: [logon("cron"), logon("alice", { logons: 2, interactive: 2 }), logon("bob", { logons: 1, interactive: 1 })] }, ...more,
  });

test("the most and least frequent users are people, and the pane says since when each is seen", async () => {
  show();
  const card = within(await screen.findByRole("region", { name: "Logged-on users" }));
  const fact = (name: string) => card.getByText(name).parentElement?.textContent;
  await card.findByText("3");
  expect(fact("Most frequent")).toContain("alice");
  expect(fact("Least frequent")).toContain("bob");
  await userEvent.setup().click(card.getByRole("button", { name: "See all users" }));
  const table = within(await screen.findByRole("table", { name: "Logged-on users" }));
  expect(table.getAllByRole("columnheader").map((h) => h.textContent)).toEqual(["User", "Logons", "Failed", "Types", "First seen", "Last seen"]);
  expect(table.getAllByRole("row")[1]?.textContent).toMatch(/cron.*4/);
});

test("the latest package that is still there is a link; for who may not see any there is none", async () => {
  const action = (id: string, gone: string) => ({ id, device_id: "d1", kind: "collect", status: "Succeeded", created_at: at, updated_at: at, ended_at: at, package: { bytes: 1, sha256: "x", ...(gone ? { gone } : {}) } });
  const c = show({ "GET /machine-actions": listOf([action("a3", "It was too old."), action("a2", ""), action("a1", "")]) });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Show device details" })); // jsdom is 1,024 pixels wide
  const side = within(await screen.findByRole("complementary", { name: "Device facts" }));
  const link = await side.findByRole("link", { name: "Download" });
  expect(link.getAttribute("href")).toContain("/machine-actions/a2/package");
  expect(c.asked.find((a) => a.path === "/machine-actions" && a.query.get("kind") === "collect")?.query.get("device")).toBe("d1");
  leave();
  show({ "GET /machine-actions": refusal(403, "not for you") });
  await user.click(await screen.findByRole("button", { name: "Show device details" }));
  await within(await screen.findByRole("complementary", { name: "Device facts" })).findByText("Agent version");
  expect(screen.queryByText("Latest investigation package")).toBeNull();
});

test("missing updates have their tags without being asked", async () => {
  show({ "GET /devices/d1/updates": listOf([{ id: "DSA-1", systems: ["Debian 12"], products: [], weaknesses: 1, severity: { critical: 0, high: 1, medium: 0, low: 0, unrated: 0 }, threats, devices: 1, alerts_elsewhere: 0, tags: ["Zero day"], url: "", weakness_ids: [] }]) }, "/updates");
  const table = within(await screen.findByRole("table", { name: "Missing updates" }));
  expect(table.getByRole("columnheader", { name: "Tags" })).toBeTruthy();
  expect(table.getByText("Zero day")).toBeTruthy();
});
