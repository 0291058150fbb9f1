import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { Dashboard, TopDevice, TopRemediation, TopSoftware } from "../../api/schema";
import { address, leave, listOf, never, open, refusal } from "../../testing/console";
import { at, calm, eventRow, recommendationRow, threats } from "../../testing/rows";

afterEach(leave);

const card = async (name: string) => within(await screen.findByRole("region", { name }));
const silent = { "GET /devices": listOf([]) };
const show = (d: Dashboard, url = "/dashboard") => open(url, { "GET /dashboard": d, ...silent });
const href = (e: HTMLElement) => decodeURIComponent(e.getAttribute("href") ?? "");

const device = (n: number): TopDevice => ({ id: `d${n}`, name: `host-${n}`, os_name: "Debian GNU/Linux 12", level: "High", score: 80 + n, weaknesses: n, last_seen: at });
const software = (n: number): TopSoftware => ({ id: `debian-_-thing-${n}`, name: `thing-${n}`, vendor: "debian", weaknesses: 1, exposed: 1, installed: 2, impact: 0.25, threats, tags: [], trend: [1, 2] });
const activity = (n: number, more: Partial<TopRemediation> = {}): TopRemediation => ({ id: `a${n}`, title: `Update thing-${n}`, type: "Update", priority: "High", due: "2026-11-30", overdue: false, tracked: true, progress: { targets: 4, fixed: 1, exposed: 3, removed: 0, silent: 0, not_assessed: 0 }, ...more });

test("the dashboard reads, says what was refused, and tries again", async () => {
  open("/dashboard", { "GET /dashboard": never, ...silent });
  await screen.findByText("Reading the dashboard …");
  leave();
  const c = open("/dashboard", { "GET /dashboard": refusal(400, "There is no device group 9"), ...silent });
  await screen.findByText("The dashboard could not be read");
  expect(screen.getByText("There is no device group 9")).toBeTruthy();
  c.answer({ "GET /dashboard": calm() });
  await userEvent.setup().click(screen.getByRole("button", { name: "Try again" }));
  await card("Exposure score");
});

test("without a device it leads to onboarding", async () => {
  open("/dashboard", { "GET /dashboard": calm(), ...silent, "GET /status": { version: "t", devices: 0, connected: 0, health: "ok", notices: [], demo_intelligence: false, intelligence_empty: false, weaknesses: 0, needs_password: false } });
  expect(href(await screen.findByRole("link", { name: "Onboard a device" }))).toBe("/settings/onboarding");
  expect(screen.queryByRole("region", { name: "Exposure score" })).toBeNull();
});

test("every card says what it means that it is empty", async () => {
  show(calm());
  for (const [name, text] of [
    ["Top security recommendations", "Nothing to do"], ["Top vulnerable software", "No vulnerable software"], ["Top remediation activities", "Nothing is under way"],
    ["Top exposed devices", "No exposed device"], ["Top events (7 days)", "No event"], ["Secure score for devices", "Nothing to score"], ["Exposure score", /one score so far|no score/i],
  ] as const) expect((await card(name)).getByText(text), name).toBeTruthy();
  expect(screen.queryByRole("link", { name: /^Show more/ })).toBeNull();
  expect((await card("Weaknesses")).queryByRole("link")).toBeNull();
});

test("the exposure score is said with its level, of how many devices, and by which formula", async () => {
  show(calm({ score: { ...calm().score, score: 45.04, level: "Medium", devices: 1 } }));
  const c = await card("Exposure score");
  expect(c.getByRole("status", { name: "Exposure score 45.0 of 100" })).toBeTruthy();
  expect(c.getByText("Medium")).toBeTruthy();
  expect(c.getByText(/Over 1 device seen within 30 days; formula 2/)).toBeTruthy();
});

test("a level of the distribution leads to the devices of it", async () => {
  show(calm({ score: { ...calm().score, devices: 6, levels: { high: 1, medium: 2, low: 0, none: 3 } } }));
  const c = await card("Device exposure distribution");
  expect(c.getByRole("img", { name: "6 devices: 1 High, 2 Medium, 3 None" })).toBeTruthy();
  expect(href(c.getByRole("link", { name: "Medium" }))).toBe("/devices?exposure=Medium");
  expect(c.queryByRole("link", { name: "Low" })).toBeNull(); // no device to show
  await userEvent.setup().click(c.getByRole("link", { name: "High" }));
  await waitFor(() => expect(address()).toBe("/devices?exposure=High"));
  window.history.back();
  await card("Device exposure distribution");
});

test("devices without data are counted beside the score, not in it", async () => {
  open("/dashboard", { "GET /dashboard": calm(), "GET /devices": listOf([{ id: "x" }]) });
  expect(href(await (await card("Device exposure distribution")).findByRole("link", { name: "1 device without data" }))).toBe("/devices?exposure=NoData");
});

test("a category of the secure score leads to what would raise it", async () => {
  const categories = [{ category: "OS", got: 236.04, max: 320, per_cent: 73.8 }, { category: "Network", got: 0, max: 0, per_cent: 0 }];
  show(calm({ secure: { category: "", got: 1236.04, max: 2320, per_cent: 53.3, categories, version: 1, as_of: at } }));
  const c = await card("Secure score for devices");
  expect(c.getByRole("status", { name: "Secure score 53.3 per cent" })).toBeTruthy();
  expect(c.getByText("1,236.0 of 2,320 points")).toBeTruthy();
  expect(href(c.getByRole("link", { name: "Operating system" }))).toBe("/recommendations?category=OS&type=ConfigurationChange");
  const network = c.getByRole("link", { name: "Network" }).closest("li");
  expect(network && within(network).queryByText(/0/)).toBeNull(); // nothing judged is no score of 0
});

test("the bar of a category leads there too, and is no stop of its own", async () => {
  const categories = [{ category: "OS", got: 236.04, max: 320, per_cent: 73.8 }];
  open("/dashboard", { "GET /dashboard": calm({ secure: { category: "", got: 236.04, max: 320, per_cent: 73.8, categories, version: 1, as_of: at } }), ...silent, "GET /recommendations": listOf([]) });
  const row = (await card("Secure score for devices")).getByRole("listitem");
  expect(within(row).getAllByRole("link").map((l) => l.getAttribute("href")?.split("?")[0])).toEqual(["/recommendations", "/scores"]); // its name with the bar, and its points
  const bar = row.querySelector<HTMLElement>("[style*='73.8%']");
  if (!bar) throw new Error("no bar");
  await userEvent.setup().click(bar);
  await waitFor(() => expect(address()).toBe("/recommendations?category=OS&type=ConfigurationChange"));
});

test("cards with many rows say how many there are, and each row leads to what it names", async () => {
  show(calm({
    recommendations: [recommendationRow(1)], recommendation_count: 1234, software: [software(1)], devices: [device(1), device(2)], remediations: [activity(1), activity(2, { overdue: true }), activity(3, { due: "" })], remediation_count: 12,
    top_events: [eventRow(7)], weaknesses: 1200, exploitable: 1, kev: 0,
  }));
  const recommendations = await card("Top security recommendations");
  expect(href(recommendations.getByRole("link", { name: "Update thing-1" }))).toBe("/recommendations?open=va-_-debian-_-thing-1");
  expect(href(recommendations.getByRole("link", { name: "Show more (1,234)" }))).toBe("/recommendations");
  expect(href(recommendations.getByRole("link", { name: "Show exceptions" }))).toBe("/recommendations?status=PartialException,FullException");
  const top = await card("Top vulnerable software");
  expect(href(top.getByRole("link", { name: "thing-1" }))).toBe("/software/debian-_-thing-1");
  expect(top.getByRole("img", { name: "Exposed devices: rising from 1 to 2 over 2 days" })).toBeTruthy();
  const devices = await card("Top exposed devices");
  expect(href(devices.getByRole("link", { name: "host-2" }))).toBe("/devices/d2");
  expect(devices.getAllByText("High")).toHaveLength(2);
  expect(href(devices.getByRole("link", { name: "Show more" }))).toBe("/devices?exposure=High,Medium,Low");
  const work = await card("Top remediation activities");
  expect(href(work.getByRole("link", { name: "Update thing-1" }))).toBe("/remediation?open=a1");
  expect(href(work.getByRole("link", { name: "Show more (12)" }))).toBe("/remediation?status=Active");
  expect(href(work.getByRole("link", { name: "Active exceptions" }))).toBe("/remediation?status=InEffect&tab=exceptions");
  expect(work.getAllByTitle("The due date has passed")).toHaveLength(1);
  expect(href((await card("Top events (7 days)")).getByRole("link", { name: eventRow(7).title }))).toBe("/events?days=7&open=7");
  const weak = await card("Weaknesses");
  expect(href(weak.getByRole("link", { name: "1,200" }))).toBe("/weaknesses");
  expect(href(weak.getByRole("link", { name: "1" }))).toBe("/weaknesses?threat=exploit");
});

test("exceptions stay reachable when nothing is left to do", async () => {
  show(calm());
  expect(href((await card("Top security recommendations")).getByRole("link", { name: "Show exceptions" }))).toBe("/recommendations?status=PartialException,FullException");
});

test("the device groups of the address go along to what a card leads to", async () => {
  const c = open("/dashboard?group=2", { "GET /dashboard": calm({ devices: [device(1)] }), ...silent });
  await userEvent.setup().click((await card("Top exposed devices")).getByRole("link", { name: "Show more" }));
  await waitFor(() => expect(window.location.pathname).toBe("/devices"));
  expect(new URLSearchParams(window.location.search).get("group")).toBe("2");
  expect(c.last("GET /dashboard")?.query.get("group")).toBe("2");
  await waitFor(() => expect(c.last("GET /devices")?.query.get("group")).toBe("2"));
});
