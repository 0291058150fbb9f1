import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { CheckDeviceRow, DeviceWeightsView, ScoreDevicePart, ScoreGroupPart, SecureCheck, SecureCheckRow } from "../../api/schema";
import { address, leave, listOf, open, refusal } from "../../testing/console";
import { behavesAsList } from "../../testing/list";
import { at, calm } from "../../testing/rows";

const part = (n: number): ScoreDevicePart => ({ id: `d${n}`, name: `host-${n}`, os_name: "Debian GNU/Linux 12", group_id: 0, group: "Ungrouped devices", value: "Normal", weight: 1, score: 12, level: "Low", units: "12", num: "480", den: 80, share: 6 });
const group = (n: number): ScoreGroupPart => ({ id: n, name: `group-${n}`, devices: 2, score: 12, level: "Low", weight: 2.75, num: "480", den: 80, share: 6 });
const check = (n: number, more: Partial<SecureCheckRow> = {}): SecureCheckRow => ({
  id: `sca-_-scid-${n}`, check: `scid-${n}`, name: `Setting ${n}`, category: "Network", subcategory: "Firewall", impact: 5, got: 2.5, got_exact: "5/2", max: 5, missing: 2.5, passed: 1, mitigated: 0, failed: 0, not_assessed: 1, not_applicable: 3, ...more,
});
const detail = (n: number, more: Partial<SecureCheck> = {}): SecureCheck => ({ ...check(n), description: "It keeps strangers out.", steps: ["Set it to no."], user_impact: "Nobody notices.", references: ["CIS 1.2"], as_of: at, ...more });
const whole = { "GET /exposure-score": calm().score, "GET /device-groups": [] };

behavesAsList({
  url: "/scores?tab=devices", rows: "GET /exposure-score/devices", label: "Devices of the score", row: part, name: (n) => `host-${n}`, empty: "No device counts", also: whole,
  filter: { group: "Device value", option: "High", key: "value", value: "High" }, sort: { column: "Own score", value: "-score" },
});

behavesAsList({
  url: "/scores?tab=checks", rows: "GET /secure-score/checks", label: "Configuration checks", row: check, name: (n) => `Setting ${n}`, empty: "There are no checks",
  filter: { group: "Category", option: "Accounts", key: "category", value: "Accounts" }, sort: { column: "Fail", value: "-failed" },
});

afterEach(leave);

test("a device group opens into its devices, and a device into its own terms", async () => {
  const c = open("/scores", { ...whole, "GET /exposure-score/groups": listOf([group(1), group(2)]), "GET /exposure-score/devices": listOf([part(1)]) });
  const groups = within(await screen.findByRole("table", { name: "Device groups of the score" }));
  expect((await screen.findByRole("status", { name: "Exposure score" })).textContent).toContain("0 / (3 · 10¹⁵)");
  await userEvent.setup().click(groups.getByRole("link", { name: "group-2" }));
  const devices = within(await screen.findByRole("table", { name: "Devices of the score" }));
  await waitFor(() => expect(c.last("GET /exposure-score/devices")?.query.get("device_group")).toBe("2"));
  expect(devices.getByRole("link", { name: "host-1" }).getAttribute("href")).toBe("/devices/d1?open=score");
});

test("a check says what is missing, and who could not be judged with the reason", async () => {
  const blind: CheckDeviceRow = { id: "d1", name: "host-1", os_name: "Debian", group_id: 0, group: "", state: "not_assessed", reason: "the agent may not read it", mitigated: false, last_seen: at };
  const one = `/secure-score/checks/${encodeURIComponent("sca-_-scid-1")}`;
  const c = open("/scores?tab=checks", { ...whole, "GET /secure-score/checks": listOf([check(1)]), [`GET ${one}`]: detail(1), [`GET ${one}/devices`]: listOf([blind]) });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("link", { name: "Setting 1" }));
  const flyout = within(await screen.findByRole("dialog", { name: "Setting 1" }));
  await flyout.findByText("5 · 1 / 2: devices that fail, and those that could not be judged, are what is missing.");
  expect(flyout.queryByRole("link", { name: "Recommendation" })).toBeNull(); // no device fails: there is none
  await user.click(flyout.getByRole("tab", { name: "Not assessed" }));
  await flyout.findByText("The agent may not read it.");
  expect(c.last(`GET ${one}/devices`)?.query.get("state")).toBe("not_assessed");
  expect(address()).toContain("view=not_assessed");
  expect(flyout.getByRole("link", { name: "host-1" }).getAttribute("href")).toContain("/devices/d1/configuration?open=");
});

const weights = (more: Partial<DeviceWeightsView> = {}): DeviceWeightsView => ({ low: 0.75, normal: 1, high: 0, high_now: 4, default: { low: 0.75, normal: 1, high: 0 }, devices: { low: 1, normal: 30, high: 9 }, as_of: at, ...more });

test("weights are checked before they are sent, and saved as they are", async () => {
  let held = weights();
  const c = open("/settings/device-weights", { "GET /device-weights": () => held, "PUT /device-weights": () => (held = weights({ low: 0.5, high: 2, high_now: 2 })) });
  const user = userEvent.setup();
  const low = await screen.findByLabelText("Low value");
  const save = screen.getByRole("button", { name: "Save" });
  expect(save).toHaveProperty("disabled", true);
  const put = async (field: HTMLElement, text: string) => {
    await user.clear(field);
    await user.type(field, text);
  };
  for (const [text, wrong] of [["0.51", "A multiple of 0.025 from 0.025 to 10."], ["0", "A multiple of 0.025 from 0.025 to 10."], ["2", "Not below the weight of a device of low value."]] as const) {
    await put(low, text);
    expect(screen.getByText(wrong)).toBeTruthy();
    expect(save).toHaveProperty("disabled", true);
  }
  await put(low, "0.5");
  await user.click(screen.getByRole("radio", { name: "A number" }));
  const high = screen.getByLabelText("Weight of a device of high value");
  await put(high, "0.75");
  expect(screen.getByText("Not below the weight of a device of normal value.")).toBeTruthy();
  await put(high, "2");
  await user.click(save);
  await screen.findByText("Saved. All scores follow it.");
  expect(c.last("PUT /device-weights")?.body).toEqual({ low: 0.5, normal: 1, high: 2 });
});

test("weights that are refused say why", async () => {
  open("/settings/device-weights", { "GET /device-weights": weights({ low: 0.5 }), "PUT /device-weights": refusal(403, "this concerns every device, and some are hidden from you") });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "As delivered" }));
  await user.click(screen.getByRole("button", { name: "Save" }));
  await screen.findByText(/some are hidden from you/);
});
