import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { DeviceRecommendationRow } from "../../api/schema";
import { address, leave, listOf, open, refusal } from "../../testing/console";
import { deviceDetail, recommendationDetail, threats } from "../../testing/rows";

afterEach(leave);

const all = recommendationDetail(1);
const own: DeviceRecommendationRow = { id: all.id, name: all.name, product_id: all.product_id, component: "thing-1", vendor: "debian", type: "Update", version: "2.0", weaknesses: 3, severity: all.severity, threats, points: 10, share: 1, impact: 1, status: "Active", exception: false, tags: [], product_code: "" };
const show = (view: string, more: Record<string, unknown> = {}) =>
  open(`/devices/d1/recommendations?open=${encodeURIComponent(all.id)}${view}`, {
    "GET /devices/d1": deviceDetail(1),
    "GET /devices/d1/recommendations": listOf([own]), [`GET /recommendations/${encodeURIComponent(all.id)}`]: all, "GET /alerts": listOf([]), "GET /exceptions": listOf([]), "POST /exceptions": refusal(409, "not now"), ...more,
  });
const flyout = async () => within(await screen.findByRole("dialog", { name: own.name }));

test("a device's recommendation has what the organisation's has", async () => {
  show("");
  const f = await flyout();
  expect((await f.findByRole("link", { name: "Open software page" })).getAttribute("href")).toContain("/software/debian-_-thing-1");
  expect(f.getByRole("link", { name: "Software on this device" }).getAttribute("href")).toContain("/devices/d1/software");
  expect(f.getByRole("button", { name: "Report inaccuracy" })).toBeTruthy();
  await userEvent.setup().click(f.getByRole("button", { name: "Exception options" }));
  await waitFor(() => expect(address()).toContain("view=exception"));
});

test("its exception is for this device, unless somebody says otherwise", async () => {
  const c = show("&view=exception");
  const form = within(await (await flyout()).findByRole("form", { name: "Exception options" }));
  expect(await form.findByRole("checkbox", { name: "host-1" })).toHaveProperty("checked", true);
  expect(form.getByRole("radio", { name: "Some devices" })).toHaveProperty("checked", true);
  await userEvent.setup().click(form.getByRole("button", { name: "Make the exception" }));
  await form.findByText("not now");
  expect(c.last("POST /exceptions")?.body).toMatchObject({ recommendation: all.id, scope: "Devices", devices: ["d1"] });
});

test("remediation is requested from it", async () => {
  show("&view=request", { [`GET /recommendations/${encodeURIComponent(all.id)}/remediation`]: refusal(400, "the form is not needed here") });
  expect(await screen.findByRole("dialog", { name: "Request remediation" })).toBeTruthy();
  expect(await screen.findByText("Remediation cannot be requested")).toBeTruthy();
});
