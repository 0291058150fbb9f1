import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { RemediationForm } from "../../api/schema";
import { address, leave, listOf, never, open, refusal } from "../../testing/console";
import { behavesAsList } from "../../testing/list";
import { deviceRow, recommendationDetail, recommendationRow as row, softwareDetail, threats, unweak } from "../../testing/rows";

behavesAsList({
  url: "/recommendations", rows: "GET /recommendations", label: "Security recommendations", row, name: (n) => `Update thing-${n}`, empty: "Nothing to do",
  filter: { group: "Remediation type", option: "Restart", key: "type", value: "Restart" }, sort: { column: "Exposed devices", value: "-exposed" },
});

afterEach(leave);

const cells = async (n: number) => {
  const found = within(await screen.findByRole("table", { name: "Security recommendations" })).getAllByRole("row")[n];
  if (!found) throw new Error(`no row ${n}`);
  return within(found);
};
const id = encodeURIComponent(row(1).id);
const one = `/recommendations/${id}`;
const flyoutOf = async (name: string) => within(await screen.findByRole("dialog", { name }));

test("a row says how many of how many devices, threats by name, and what it lowers the score by", async () => {
  open("/recommendations", { "GET /recommendations": listOf([row(1, { exposed: 1234, installed: 5678, impact: 0.001, threats: { ...threats, kev: true, exploit: "ExploitIsVerified" }, tags: ["EOS version"] })]) });
  const r = await cells(1);
  expect(r.getByTitle("1,234 exposed of 5,678 devices where it is installed")).toBeTruthy();
  expect(r.getByText("< 0.01")).toBeTruthy();
  expect(r.getByRole("img", { name: /CISA/ })).toBeTruthy();
  expect(r.getByTitle("EOS version").textContent).toBe("EOS");
});

test("a setting has no weaknesses and is about devices that it concerns", async () => {
  open("/recommendations", { "GET /recommendations": listOf([row(1, { ...unweak, type: "ConfigurationChange", id: "sca-_-scid-1", name: "SSH takes keys", exposed: 2, installed: 3 })]) });
  const r = await cells(1);
  expect(r.getByTitle("2 exposed of 3 devices that it concerns")).toBeTruthy();
  expect(r.getByText("Configuration change")).toBeTruthy();
  expect(r.queryByText("0")).toBeNull();
});

test("without intelligence the empty list leads to it", async () => {
  open("/recommendations", { "GET /recommendations": listOf([]), "GET /status": { version: "t", devices: 3, connected: 3, health: "ok", notices: [], demo_intelligence: false, intelligence_empty: true, weaknesses: 0, needs_password: false } });
  await screen.findByText("No intelligence is loaded");
  expect(screen.queryByText("Nothing to do")).toBeNull();
});

test("the flyout says what it is, what to do and the exact impact; its tab is part of the address, and Back closes it", async () => {
  const c = open("/recommendations", {
    "GET /recommendations": listOf([row(1), row(2)]), [`GET ${one}`]: recommendationDetail(1, { exposed: 1, fixes: [{ place: "Debian 12", package: "thing-1", version: "2.0", versions: 1, devices: 1 }] }),
    [`GET ${one}/devices`]: listOf([]), [`GET ${one}/vulnerabilities`]: listOf([]),
  });
  const user = userEvent.setup();
  await user.click((await cells(1)).getByRole("link", { name: "Update thing-1" }));
  const f = await flyoutOf("Update thing-1");
  await f.findByText("thing-1 has known weaknesses that an update fixes.");
  expect(f.getByText("1 exposed device")).toBeTruthy();
  expect(f.getByText("Bring thing-1 to 2.0.")).toBeTruthy();
  expect(f.getByText(/45 \/ \(30/)).toBeTruthy();
  expect(new URLSearchParams(window.location.search).get("open")).toBe(row(1).id);
  await user.click(f.getByRole("tab", { name: "Exposed devices" }));
  await f.findByText("No device needs this any more");
  expect(address()).toContain("view=devices");
  expect(c.last(`GET ${one}/devices`)).toBeTruthy();
  window.history.back();
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(address()).toBe("/recommendations");
});

test("a list of a flyout is ordered by its columns, from the first page on", async () => {
  const c = open(`/recommendations?open=${id}&view=weaknesses`, {
    "GET /recommendations": listOf([row(1)]), [`GET ${one}`]: recommendationDetail(1),
    [`GET ${one}/vulnerabilities`]: listOf(Array.from({ length: 31 }, (_, i) => ({ id: `CVE-2024-${i}`, severity: "High", cvss: 7, threats, exposed: 1 }))),
  });
  const user = userEvent.setup();
  const table = within(await screen.findByRole("table", { name: "Weaknesses that this closes" }));
  const last = () => c.last(`GET ${one}/vulnerabilities`)?.query;
  expect(last()?.has("sort")).toBe(false);
  await user.click(screen.getByRole("button", { name: "Next" }));
  await waitFor(() => expect(last()?.get("page")).toBe("2"));
  await user.click((await screen.findAllByRole("button", { name: "CVSS" }))[0] as HTMLElement);
  await waitFor(() => expect(last()?.get("sort")).toBe("-cvss"));
  expect(last()?.get("page")).toBe("1");
  await waitFor(() => expect(screen.getByRole("columnheader", { name: "CVSS" }).getAttribute("aria-sort")).toBe("descending"));
  await user.click(screen.getByRole("button", { name: "CVSS" }));
  await waitFor(() => expect(last()?.get("sort")).toBe("cvss"));
  expect(table).toBeTruthy();
});

test("the flyout of a deep link reads, and says what was refused", async () => {
  open(`/recommendations?open=${id}`, { "GET /recommendations": listOf([]), [`GET ${one}`]: never });
  await (await flyoutOf(row(1).id)).findByText("Reading …");
  leave();
  const c = open(`/recommendations?open=${id}`, { "GET /recommendations": listOf([]), [`GET ${one}`]: refusal(404, "There is no such recommendation") });
  const f = await flyoutOf(row(1).id);
  await f.findByText("There is no such recommendation");
  c.answer({ [`GET ${one}`]: recommendationDetail(1) });
  await userEvent.setup().click(f.getByRole("button", { name: "Try again" }));
  await screen.findByText("Bring thing-1 to 2.0.");
});

const form: RemediationForm = { user_impact: null, active: 0, exposed: 7, types: ["Update", "AttentionRequired"], groups: [{ id: 1, name: "Servers", exposed: 5, unnoticed: 2 }, { id: 2, name: "Empty ones", exposed: 0, unnoticed: 0 }], destinations: [{ id: "d1", kind: "webhook", name: "Desk" }] };
const request = `/recommendations?open=${id}&view=request`;
const around = { "GET /recommendations": listOf([row(1)]), [`GET ${one}`]: recommendationDetail(1), "GET /remediations": listOf([]) };

test("the remediation form reads, and says what was refused", async () => {
  open(request, { ...around, [`GET ${one}/remediation`]: never });
  await (await flyoutOf("Request remediation")).findByText("Reading …");
  leave();
  const c = open(request, { ...around, [`GET ${one}/remediation`]: refusal(403, "Your role may not request remediation") });
  const f = await flyoutOf("Request remediation");
  await f.findByText("Your role may not request remediation");
  c.answer({ [`GET ${one}/remediation`]: form });
  await userEvent.setup().click(f.getByRole("button", { name: "Try again" }));
  await f.findByRole("button", { name: "Request for 7 devices" });
});

test("the remediation form asks for what was chosen, once, and leads to the activity", async () => {
  const c = open(request, { ...around, [`GET ${one}/remediation`]: form, "POST /remediations": { id: "a1", progress: { targets: 5 } }, "GET /remediations/a1": refusal(404, "gone") });
  const user = userEvent.setup();
  const f = await flyoutOf("Request remediation");
  await f.findByRole("button", { name: "Request for 7 devices" });
  await user.click(f.getByRole("radio", { name: "Those of some device groups" }));
  expect(f.getByRole("button", { name: "Request for 0 devices" })).toHaveProperty("disabled", true);
  expect(f.getByRole("checkbox", { name: "Empty ones (0 exposed devices)" })).toHaveProperty("disabled", true);
  await user.click(f.getByRole("checkbox", { name: "Servers (5 exposed devices)" }));
  await user.click(f.getByRole("radio", { name: "High" }));
  await user.click(f.getByRole("checkbox", { name: /^Desk/ }));
  await user.type(f.getByRole("textbox", { name: "Notes" }), " soon ");
  await user.click(f.getByRole("button", { name: "Request for 5 devices" }));
  await waitFor(() => expect(address()).toBe("/remediation?open=a1"));
  await screen.findByText("Remediation was requested for 5 devices, with 1 ticket.");
  await user.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByText(/^Remediation was requested/)).toBeNull();
  const asked = c.asked.filter((a) => a.method === "POST" && a.path === "/remediations");
  expect(asked).toHaveLength(1);
  expect(asked[0]?.body).toMatchObject({ recommendation_id: row(1).id, type: "Update", priority: "High", notes: "soon", groups: [1], destinations: ["d1"] });
});

test("attention has no due date, and a refused request keeps the form", async () => {
  const c = open(request, { ...around, [`GET ${one}/remediation`]: { ...form, active: 2, destinations: [] }, "POST /remediations": refusal(409, "No device is exposed any more") });
  const user = userEvent.setup();
  const f = await flyoutOf("Request remediation");
  await f.findByText(/2 activities are under way already/);
  expect(f.getByText(/No place for tickets is set up/)).toBeTruthy();
  expect(f.getByLabelText(/Due date/)).toBeTruthy();
  await user.click(f.getByRole("radio", { name: "Attention required" }));
  expect(f.queryByLabelText(/Due date/)).toBeNull();
  await user.click(f.getByRole("button", { name: "Request for 7 devices" }));
  await f.findByText("No device is exposed any more");
  expect(c.last("POST /remediations")?.body).toMatchObject({ type: "AttentionRequired", due: "", groups: [] });
  expect(f.getByRole("radio", { name: "Attention required" })).toHaveProperty("checked", true);
});

const setting = { ...unweak, type: "ConfigurationChange", id: "sca-_-scid-4062", name: "sudo asks for a password" };
const ofSetting = `/recommendations/${setting.id}`;

test("of a setting only devices without user impact can be asked for; of software there is no such choice", async () => {
  const c = open(`/recommendations?open=${setting.id}&view=request`, {
    "GET /recommendations": listOf([row(1, setting)]), [`GET ${ofSetting}`]: recommendationDetail(1, setting), "POST /remediations": refusal(409, "not now"),
    [`GET ${ofSetting}/remediation`]: { ...form, types: ["ConfigurationChange"], user_impact: { none: 3, expected: 1, not_assessed: 3, days: 30, evidence: true } },
  });
  const user = userEvent.setup();
  const f = await flyoutOf("Request remediation");
  await f.findByText(/^Expected on 1, not assessed on 3\. .*for 30 days/);
  await user.click(f.getByRole("checkbox", { name: "Only devices without user impact (3)" }));
  await user.click(f.getByRole("radio", { name: "Those of some device groups" }));
  await user.click(f.getByRole("checkbox", { name: /^Servers/ }));
  expect(f.getByRole("button", { name: "Request for 2 devices" })).toBeTruthy();
  await user.click(f.getByRole("radio", { name: /^All exposed devices/ }));
  await user.click(f.getByRole("button", { name: "Request for 3 devices" }));
  await f.findByText("not now");
  expect(c.last("POST /remediations")?.body).toMatchObject({ recommendation_id: setting.id, unnoticed: true, groups: [] });
  leave();
  open(request, { ...around, [`GET ${one}/remediation`]: form });
  const software = await flyoutOf("Request remediation");
  await software.findByRole("button", { name: "Request for 7 devices" });
  expect(software.queryByRole("checkbox", { name: /user impact/ })).toBeNull();
});

test("where no device is known to be without user impact, the form says so", async () => {
  open(`/recommendations?open=${setting.id}&view=request`, {
    "GET /recommendations": listOf([row(1, setting)]), [`GET ${ofSetting}`]: recommendationDetail(1, setting),
    [`GET ${ofSetting}/remediation`]: { ...form, types: ["ConfigurationChange"], user_impact: { none: 0, expected: 7, not_assessed: 0, days: 30, evidence: false } },
  });
  const f = await flyoutOf("Request remediation");
  expect(await f.findByRole("checkbox", { name: "Only devices without user impact (0)" })).toHaveProperty("disabled", true);
  expect(f.getByText("Expected on 7, not assessed on 0. No event could tell that nobody notices it.")).toBeTruthy();
});

test("the devices of a setting say whether people notice it and why, and are narrowed to those without", async () => {
  const c = open(`/recommendations?open=${setting.id}&view=devices`, {
    "GET /recommendations": listOf([row(1, setting)]), [`GET ${ofSetting}`]: recommendationDetail(1, setting),
    [`GET ${ofSetting}/devices`]: listOf([deviceRow(1, { user_impact: "expected", user_impact_reason: "last used 2026-11-20" })]),
  });
  const f = await flyoutOf(setting.name);
  expect((await f.findByText("Expected")).title).toBe("last used 2026-11-20");
  c.answer({ [`GET ${ofSetting}/devices`]: listOf([]) });
  await userEvent.setup().click(f.getByRole("checkbox", { name: "Only devices without user impact" }));
  await f.findByText("No device is known to be without user impact");
  expect(c.last(`GET ${ofSetting}/devices`)?.query.get("user_impact")).toBe("none");
});

test("the flyout shows which versions of the product devices have, and saves the exposed devices as a file", async () => {
  const distribution = [{ version: "1.0", installed: 3, exposed: 3, weaknesses: 2, severity: { critical: 0, high: 2, medium: 0, low: 0, unrated: 0 }, eol: null, places: [], tags: ["EOS version"] }];
  open(`/recommendations?open=${id}&view=versions`, { "GET /recommendations": listOf([row(1)]), [`GET ${one}`]: recommendationDetail(1), [`GET ${one}/devices`]: listOf([]), "GET /software/debian-_-thing-1": softwareDetail(1, { distribution }) });
  const user = userEvent.setup();
  const f = await flyoutOf("Update thing-1");
  const version = (await f.findByText("1.0")).closest("tr");
  expect(version && within(version).getByText("EOS version")).toBeTruthy();
  await user.click(f.getByRole("tab", { name: "Exposed devices" }));
  await user.click(await f.findByRole("button", { name: "Export" }));
  expect(f.getByRole("menuitem", { name: "CSV" }).getAttribute("href")).toBe(`/api/x${one}/devices/export?format=csv`);
});
