// The timeline of this very machine: a program is started while the page is
// open; its start appears without a reload, with what it touched and who started
// it, can be found, flagged, highlighted and exported.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, read, signIn, startBrowser, startDemo, still, until, wear } from "./harness.mjs";

let demo, browser, context, page, device;
const probe = `picket-probe-${process.pid}`;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  context = await signIn(browser, demo);
  device = await until("this machine", async () => (await read(context, demo, "/devices")).items[0]);
  await until("its first events", async () => (await read(context, demo, `/devices/${device.id}/timeline?size=1`)).items.length > 0);
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const at = (search = "") => `${demo.base}/devices/${device.id}/timeline${search}`;
const rows = () => page.getByRole("table", { name: "Timeline" }).locator("tbody tr");

/** Starts a program of a name of its own, once. */
function run(...args) {
  const dir = path.join(demo.dir, "probe");
  mkdirSync(dir, { recursive: true });
  copyFileSync("/usr/bin/true", path.join(dir, probe));
  execFileSync(path.join(dir, probe), args);
}

test("a program that starts is on the open page", async () => {
  await page.goto(at(`?q=${probe}`));
  await page.getByText("Nothing matches").waitFor();
  await page.evaluate(() => (window.stayed = true));
  run("--first");
  await page.getByRole("cell", { name: new RegExp(`node started ${probe}`) }).first().waitFor();
  assert.equal(await page.evaluate(() => window.stayed), true);
  const { items } = await read(context, demo, `/devices/${device.id}/timeline?q=${probe}&action=ProcessCreated`);
  assert.equal(items.length, 1, "one row per start");
  assert.match(items[0].fields.ProcessCommandLine, /--first$/);
  assert.match(items[0].fields.SHA256 ?? "", /^[0-9a-f]{64}$/);
});

test("its flyout shows who started it", async () => {
  await page.goto(at(`?q=${probe}&action=ProcessCreated`));
  await rows().first().click();
  const graph = page.getByRole("group", { name: "Event entities graph" });
  await graph.getByRole("button", { name: probe }).waitFor();
  await graph.getByRole("button", { name: "node", exact: true }).first().click();
  await page.getByRole("dialog").getByText("Process id").waitFor();
  await page.getByRole("tab", { name: "All columns" }).click();
  await page.getByRole("dialog").getByText("ProcessCommandLine", { exact: true }).waitFor();
  assert.match(page.url(), /view=columns/);
  await page.reload();
  await page.getByRole("dialog").getByText("ProcessCommandLine", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await until("the flyout to close", async () => (await page.getByRole("dialog").count()) === 0);
});

test("a flag finds it again", async () => {
  await page.goto(at(`?q=${probe}&action=ProcessCreated`));
  await page.getByRole("button", { name: new RegExp(`^Flag node started ${probe}`) }).click();
  await page.getByRole("button", { name: new RegExp(`^Remove the flag of node started`) }).waitFor();
  await page.goto(at());
  await page.getByRole("button", { name: "Flagged", exact: true }).click();
  await page.getByRole("cell", { name: new RegExp(`node started ${probe}`) }).first().waitFor();
  assert.equal(await rows().count(), 1);
  await page.goBack();
  await until("the others", async () => (await rows().count()) > 1);
});

test("the highlighted range goes by keyboard, and the list with it", async () => {
  await page.goto(at(`?days=1&q=${probe}`));
  await rows().first().waitFor();
  const end = page.getByRole("slider", { name: "End of the highlighted range" });
  await end.focus();
  for (let i = 0; i < 12; i++) await page.keyboard.press("PageDown");
  await page.getByText("Nothing matches").waitFor();
  assert.match(page.url(), /to=20/);
  await page.getByRole("button", { name: "Zoom in" }).click();
  await until("the range", () => /since=20/.test(page.url()));
  await page.goBack();
  await page.getByRole("button", { name: "All", exact: true }).click();
  await rows().first().waitFor();
});

test("the highlighted range is dragged, and zoomed by the wheel", async () => {
  await page.goto(at(`?days=1&q=${probe}`));
  await rows().first().waitFor();
  const end = page.getByRole("slider", { name: "End of the highlighted range" });
  const drag = async (by) => {
    const b = await end.boundingBox();
    const [x, y] = [b.x + b.width / 2, b.y + b.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + by, y, { steps: 5 });
    await page.mouse.up();
  };
  await drag(-300);
  await page.getByText("Nothing matches").waitFor();
  const earlier = Number(await end.getAttribute("aria-valuenow"));
  await drag(100);
  await until("the longer range", async () => Number(await end.getAttribute("aria-valuenow")) > earlier);
  const before = Number(await end.getAttribute("aria-valuenow")) - Number(await page.getByRole("slider", { name: "Beginning of the highlighted range" }).getAttribute("aria-valuenow"));
  const b = await end.boundingBox();
  await page.mouse.move(b.x - 100, b.y + b.height / 2);
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -300);
  await page.keyboard.up("Control");
  await until("the shorter range", async () => Number(await end.getAttribute("aria-valuenow")) - Number(await page.getByRole("slider", { name: "Beginning of the highlighted range" }).getAttribute("aria-valuenow")) < before);
  await page.getByRole("button", { name: "All", exact: true }).click();
  await rows().first().waitFor();
});

test("groups filter, and the export is what is filtered", async () => {
  await page.goto(at(`?q=${probe}`));
  await rows().first().waitFor();
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.getByRole("checkbox", { name: "Network events" }).check();
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("Nothing matches").waitFor();
  assert.match(page.url(), /event_group=Network/);
  const answer = await context.request.get(`${demo.base}/api/x/devices/${device.id}/timeline/export?q=${probe}&action=ProcessCreated`);
  const table = csvRows(await answer.text());
  assert.equal(table.length, 2, JSON.stringify(table));
  assert.match(table[0], /^device_id,time,action_type,/);
  assert.match(table[1], /,ProcessCreated,/);
});

test("flagged events come first, and a flag shows what was before it", async () => {
  await page.goto(at("?days=1"));
  await rows().first().waitFor();
  await page.getByRole("button", { name: /^Flag: sort|^Flag$/ }).first().click();
  await page.getByRole("table", { name: "Timeline" }).locator("tbody tr").first().getByRole("button", { name: /^Remove the flag of node started/ }).waitFor();
  assert.match(page.url(), /sort=-flagged/);
  await page.reload();
  await page.getByRole("table", { name: "Timeline" }).locator("tbody tr").first().getByRole("button", { name: /^Remove the flag of/ }).waitFor();
  await page.getByRole("button", { name: /^Flag: sort|^Flag$/ }).first().click();
  await until("the order of times", () => !/sort=/.test(page.url()));
  await page.goto(at("?days=1&flagged=true"));
  await until("the flag alone", async () => (await rows().count()) === 1);
  await page.getByRole("status").filter({ hasText: "1 of 1 event," }).waitFor(); // the chart counts what the list has
  await page.getByRole("button", { name: /^Events before the flagged one of/ }).click();
  await rows().first().getByRole("button", { name: /^Remove the flag of node started/ }).waitFor(); // it is the newest of those that are left
  await until("those before it", async () => (await rows().count()) > 1);
  assert.doesNotMatch(page.url(), /flagged=/);
});

test("columns and rows to a page are chosen, and stay", async () => {
  await page.goto(at(`?q=${probe}&action=ProcessCreated`));
  await rows().first().waitFor();
  const header = () => page.getByRole("columnheader", { name: "Command line", exact: true });
  assert.equal(await header().count(), 0);
  await page.getByRole("button", { name: "Customize columns" }).click();
  await page.getByRole("checkbox", { name: "Command line", exact: true }).check();
  await header().waitFor(); // at once
  await page.keyboard.press("Escape");
  await page.getByRole("cell", { name: /--first/ }).first().waitFor();
  await page.getByLabel("Events per page").selectOption("100");
  await until("a page of 100", async () => (await page.getByLabel("Events per page").inputValue()) === "100");
  await page.goto(at());
  await header().waitFor();
  assert.equal(await page.getByLabel("Events per page").inputValue(), "100");
  await until("more than 30 rows", async () => (await page.getByText(/^\d+ events? on this page$/).textContent()).match(/\d+/)[0] > 30);
  await page.getByLabel("Events per page").selectOption("30");
  await page.getByText("30 events on this page").waitFor();
  await page.getByRole("button", { name: "Older events" }).click();
  await until("the next page", () => /cursor=/.test(page.url()));
  await page.getByRole("button", { name: "Newest" }).click();
  await until("the first page", () => !/cursor=/.test(page.url()));
  await page.getByRole("button", { name: "Customize columns" }).click();
  await page.getByRole("checkbox", { name: "Command line", exact: true }).uncheck();
  await until("the column to go", async () => (await header().count()) === 0);
  await page.keyboard.press("Escape");
});

/** A moment as a field for moments wants it, on the browser's clock. */
const local = (t) => page.evaluate((ms) => { const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000); return d.toISOString().slice(0, 16); }, t);

test("the range is a preset or one of one's own", async () => {
  await page.goto(at(`?q=${probe}`));
  await rows().first().waitFor();
  const range = page.getByLabel("Range", { exact: true });
  assert.equal(await range.inputValue(), "30");
  const from = async () => Number(await page.getByRole("slider", { name: "Beginning of the highlighted range" }).getAttribute("aria-valuemin"));
  for (const days of [7, 1]) {
    await range.selectOption(String(days));
    await until(`${days} days`, async () => Math.abs(Date.now() - (await from()) - days * 86_400_000) < 2 * 3_600_000);
    assert.match(page.url(), new RegExp(`days=${days}`));
    await rows().first().waitFor();
  }
  await page.reload();
  assert.equal(await range.inputValue(), "1");
  await range.selectOption("custom");
  await page.getByLabel("From", { exact: true }).fill(await local(Date.now() - 20 * 86_400_000));
  await page.getByLabel("To", { exact: true }).fill(await local(Date.now() - 10 * 86_400_000));
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("Nothing matches").waitFor();
  assert.match(page.url(), /since=20.*until=20/);
  await page.getByLabel("To", { exact: true }).fill(await local(Date.now() + 3_600_000));
  await page.getByRole("button", { name: "Apply" }).click();
  await rows().first().waitFor();
  await page.getByLabel("To", { exact: true }).fill(await local(Date.now() - 30 * 86_400_000));
  assert.equal(await page.getByRole("button", { name: "Apply" }).isDisabled(), true, "the beginning must be before the end");
});

test("what comes in waits while Live is off", async () => {
  await page.goto(at(`?q=${probe}&action=ProcessCreated`));
  await rows().first().waitFor();
  const before = await rows().count();
  await page.getByRole("switch", { name: "Live" }).uncheck();
  run("--while-off");
  await page.getByRole("button", { name: "1 new" }).waitFor();
  assert.equal(await rows().count(), before);
  await page.getByRole("button", { name: "1 new" }).click();
  await until("the row", async () => (await rows().count()) === before + 1);
  await page.getByRole("switch", { name: "Live" }).check();
  run("--live-again");
  await until("it by itself", async () => (await rows().count()) === before + 2);
});

test("values are copied, and all of a month is exported", async () => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: demo.base });
  await page.goto(at(`?q=${probe}&action=ProcessCreated&view=columns`));
  await rows().last().click();
  await page.getByRole("tab", { name: "All columns" }).click();
  await page.getByRole("button", { name: "Copy ProcessCommandLine", exact: true }).click();
  await page.getByRole("button", { name: "ProcessCommandLine copied" }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), new RegExp(`${probe} --first$`));
  await page.keyboard.press("Escape");
  const { items } = await read(context, demo, `/devices/${device.id}/timeline?q=${probe}&action=ProcessCreated&size=100`);
  await page.goto(at(`?q=${probe}&action=ProcessCreated`)); // 30 days
  await rows().first().waitFor();
  for (const [entry, count] of [[/^CSV/, (t) => csvRows(t).length - 1], [/^JSON Lines, all/, (t) => t.trim().split("\n").map((l) => JSON.parse(l)).filter((r) => r.title.includes(probe)).length],
    [/Elastic Common Schema/, (t) => t.trim().split("\n").map((l) => JSON.parse(l)).filter((r) => r.process.name === probe && r.host.id === device.id && r.event.category[0] === "process").length]]) {
    await page.getByRole("button", { name: "Export" }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: entry }).click()]);
    assert.equal(count(readFileSync(await download.path(), "utf8")), items.length, String(entry));
  }
});

test("nothing is missing, and the page is clean", async () => {
  const t = await read(context, demo, `/devices/${device.id}/timeline?size=1`);
  assert.deepEqual(t.missing.filter((m) => !m.reason), [], "numbers without a reason");
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    await page.goto(at(`?q=${probe}`));
    await rows().first().waitFor();
    await still(page);
    assert.deepEqual(await axe(page), []);
    await rows().first().click();
    await page.getByRole("group", { name: "Event entities graph" }).waitFor();
    await still(page);
    assert.deepEqual(await axe(page), []);
  }
});
