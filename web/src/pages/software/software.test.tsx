import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { type Asked, leave, listOf, never, open, refusal } from "../../testing/console";
import { behavesAsList } from "../../testing/list";
import { recommendationRow, softwareDetail, softwareRow as row } from "../../testing/rows";

behavesAsList({
  url: "/software?code=any", rows: "GET /software", label: "Software inventory", row, name: (n) => `thing-${n}`, empty: "No software is known yet",
  filter: { group: "Assessment", option: "Assessed", key: "assessed", value: "true" }, sort: { column: "Impact", value: "-impact" },
});

afterEach(leave);

const id = encodeURIComponent(row(1).id);
const page = `/software/${id}`;
const card = async (name: string) => within(await screen.findByRole("region", { name }));
const none = listOf([]);

test("a filter that nobody chose hides nothing on a server without software, and says so where it hides all", async () => {
  open("/software", { "GET /software": listOf([]) });
  await screen.findByText("No software is known yet");
  leave();
  const c = open("/software", { "GET /software": (a: Asked) => listOf(a.query.has("code") ? [] : [row(1)])(a) });
  await screen.findByText("Nothing matches");
  await waitFor(() => expect(c.last("GET /software")?.query.has("code")).toBe(false)); // it asked whether there is any
  expect(screen.queryByText("No software is known yet")).toBeNull();
  await userEvent.setup().click(screen.getByRole("button", { name: "Clear search and filters" }));
  await screen.findByRole("table", { name: "Software inventory" });
});

test("software that cannot be judged shows no numbers that look like none", async () => {
  open("/software", { "GET /software": listOf([row(1, { not_assessed: "No advisories cover it", weaknesses: 0, exposed: 0 }), row(2, { exposed: 1, installed: 1 })]) });
  const [, first, second] = within(await screen.findByRole("table", { name: "Software inventory" })).getAllByRole("row");
  if (!first || !second) throw new Error("not two rows");
  expect(within(first).getByText("Not available").title).toBe("No advisories cover it");
  expect(within(first).queryByText("0")).toBeNull();
  expect(within(second).getByTitle("1 exposed of 1 device where it is installed")).toBeTruthy();
});

test("the page of a product reads, and says what was refused", async () => {
  open(page, { [`GET ${page}`]: never, [`GET ${page}/recommendations`]: never });
  await screen.findByText("Reading the software …");
  leave();
  const c = open(page, { [`GET ${page}`]: refusal(400, "The id is not one of a product"), [`GET ${page}/recommendations`]: none });
  await screen.findByText("The id is not one of a product");
  c.answer({ [`GET ${page}`]: softwareDetail(1) });
  await userEvent.setup().click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByRole("heading", { level: 1, name: "thing-1" });
  leave();
  open(page, { [`GET ${page}`]: refusal(404, "There is no such software"), [`GET ${page}/recommendations`]: none });
  await screen.findByText("There is no such software");
  expect(screen.queryByRole("button", { name: "Try again" })).toBeNull(); // it will not be there then either
});

test("the page of a product without anything wrong says so on every card", async () => {
  open(page, { [`GET ${page}`]: softwareDetail(1, { weaknesses: 0, exposed: 0, severity: { critical: 0, high: 0, medium: 0, low: 0, unrated: 0 }, installed: 1 }), [`GET ${page}/recommendations`]: none });
  await (await card("Top security recommendations")).findByText("Nothing to do");
  expect((await card("Misconfigurations")).getByText("None")).toBeTruthy();
  expect((await card("Vulnerabilities by severity")).queryByRole("link", { name: /Show all/ })).toBeNull();
  expect(screen.getByText("1 device")).toBeTruthy();
});

test("a severity leads to the vulnerabilities of it, and Back to the overview", async () => {
  const c = open(page, { [`GET ${page}`]: softwareDetail(1), [`GET ${page}/recommendations`]: listOf([recommendationRow(1)]), [`GET ${page}/vulnerabilities`]: none });
  await userEvent.setup().click((await card("Vulnerabilities by severity")).getByRole("link", { name: "Critical" }));
  await waitFor(() => expect(window.location.pathname).toBe(`${page}/vulnerabilities`));
  await waitFor(() => expect(c.last(`GET ${page}/vulnerabilities`)?.query.get("severity")).toBe("Critical"));
  await screen.findByText("Nothing matches");
  window.history.back();
  await (await card("Top security recommendations")).findByRole("link", { name: "Update thing-1" });
});

test("all settings that fail are on a tab of their own, with a way to what to do", async () => {
  const checks = Array.from({ length: 9 }, (_, i) => ({ id: `sca-_-scid-${i}`, name: `Setting ${i}`, devices: i + 1, impact: 5, severity: "Medium" as const }));
  open(`${page}/misconfigurations`, { [`GET ${page}`]: softwareDetail(1, { checks }), [`GET ${page}/recommendations`]: listOf([]) });
  const table = within(await screen.findByRole("table", { name: "Misconfigurations" }));
  expect(table.getAllByRole("row")).toHaveLength(10);
  expect(table.getByRole("link", { name: "Setting 8" }).getAttribute("href")).toContain("open=sca-_-scid-8");
  expect(screen.getByRole("tab", { name: /Misconfigurations/ }).textContent).toContain("9");
  const top = () => within(table.getAllByRole("row")[1] as HTMLElement).getByRole("link").textContent;
  const user = userEvent.setup();
  await user.click(table.getByRole("button", { name: "Devices that fail" }));
  expect(top()).toBe("Setting 8");
  await user.click(table.getByRole("button", { name: "Devices that fail" }));
  expect(top()).toBe("Setting 0");
  await user.click(table.getByRole("button", { name: "Configuration" }));
  expect(table.getByRole("columnheader", { name: "Configuration" }).getAttribute("aria-sort")).toBe("ascending");
});

test("software whose settings are as they should be has nothing on the tab", async () => {
  open(`${page}/misconfigurations`, { [`GET ${page}`]: softwareDetail(1), [`GET ${page}/recommendations`]: listOf([]) });
  await screen.findByText("No misconfiguration");
});

test("many settings and versions are cut with a way to all of them", async () => {
  const checks = Array.from({ length: 9 }, (_, i) => ({ id: `sca-_-scid-${i}`, name: `Setting ${i}`, devices: 1, impact: 5, severity: "Medium" as const }));
  const distribution = Array.from({ length: 9 }, (_, i) => ({ version: `1.${i}`, installed: i + 1, exposed: 0, weaknesses: 0, severity: { critical: 0, high: 0, medium: 0, low: 0, unrated: 0 }, eol: null, places: [], tags: i === 0 ? ["EOS version"] : [] }));
  open(page, { [`GET ${page}`]: softwareDetail(1, { checks, distribution, versions: 9 }), [`GET ${page}/recommendations`]: listOf(Array.from({ length: 6 }, (_, i) => recommendationRow(i + 1))) });
  const settings = await card("Misconfigurations");
  expect(settings.getAllByRole("listitem")).toHaveLength(8);
  expect(settings.getByRole("link", { name: "Show all" })).toBeTruthy();
  const versions = await card("Versions");
  expect(versions.getByText("1 device")).toBeTruthy();
  expect(versions.getByText("EOS version")).toBeTruthy();
  expect(versions.getByRole("link", { name: "1.0" }).getAttribute("href")).toContain("open=1.0");
  expect((await (await card("Top security recommendations")).findByRole("link", { name: "Show all 6" })).getAttribute("href")).toBe(`${page}/recommendations`);
});
