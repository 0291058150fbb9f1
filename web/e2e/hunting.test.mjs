// Hunting on this very machine: a query is written with completion, runs, finds a program
// that was started meanwhile, is narrowed, drawn, saved, shared by its address, exported and canceled.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, read, signIn, startBrowser, startDemo, still, until, wear } from "./harness.mjs";

let demo, browser, context, page, device;
const probe = `picket-hunt-${process.pid}`;

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

function start(name, ...args) {
  const dir = path.join(demo.dir, "probe");
  mkdirSync(dir, { recursive: true });
  copyFileSync("/usr/bin/true", path.join(dir, name));
  execFileSync(path.join(dir, name), args);
}
const run = (...args) => start(probe, ...args);

const editor = () => page.getByRole("textbox", { name: "Query" });
const grid = () => page.getByRole("grid", { name: "Results" });
const query = `DeviceProcessEvents\n| where FileName == "${probe}"\n| project Timestamp, DeviceName, FileName, ProcessCommandLine`;
const at = (text) => `${demo.base}/hunting?${new URLSearchParams({ query: text })}`;

test("a query finds what happened meanwhile", async () => {
  await page.goto(at(query));
  assert.equal(await editor().inputValue(), query);
  await editor().press("Control+Enter");
  await page.getByText("No rows", { exact: true }).waitFor();
  run("--first");
  await until("the event", async () => (await read(context, demo, `/devices/${device.id}/timeline?q=${probe}&action=ProcessCreated`)).items.length > 0);
  await page.getByRole("button", { name: "Run query" }).click();
  await grid().getByRole("gridcell", { name: `${probe} --first` }).waitFor();
  await page.getByText(/1 row · .* rows read/).waitFor();
});

test("a row tells all its columns and narrows the query", async () => {
  await grid().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByText("ProcessCommandLine").waitFor();
  await page.getByRole("button", { name: "Only rows with this ProcessCommandLine" }).click();
  assert.match(await editor().inputValue(), new RegExp(`\\| where ProcessCommandLine == "\\S*${probe} --first"$`));
  await grid().getByRole("gridcell", { name: `${probe} --first` }).waitFor();
  assert.match(decodeURIComponent(page.url()), /where\+ProcessCommandLine|where ProcessCommandLine|where%20ProcessCommandLine/);
  await page.goBack();
  await until("the query before", async () => (await editor().inputValue()) === query);
});

test("words are completed and mistakes are marked", async () => {
  await page.goto(at("print 1"));
  await editor().fill("");
  await editor().pressSequentially("DeviceProc");
  await page.getByRole("listbox", { name: "Completions" }).getByRole("option", { name: /DeviceProcessEvents/ }).waitFor();
  await page.keyboard.press("Enter");
  assert.equal(await editor().inputValue(), "DeviceProcessEvents");
  await editor().pressSequentially(" | whe");
  await page.keyboard.press("Tab");
  await editor().pressSequentially(" FileNam");
  await page.keyboard.press("Tab");
  assert.equal(await editor().inputValue(), "DeviceProcessEvents | where FileName");
  await editor().fill("DeviceProcessEvents | where FileNam == 1");
  await page.getByText(/Line 1, column 29: .*FileNam/).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.getByRole("button", { name: "Run query" }).click();
  await page.getByText(/Line 1, column 29: /).waitFor();
});

test("a result is drawn, saved, opened again and exported", async () => {
  for (const n of [1, 2, 3, 4, 5]) start(`${probe}-${n}`);
  await until("five programs", async () => (await read(context, demo, `/devices/${device.id}/timeline?q=${probe}-&action=ProcessCreated`)).items.length >= 5);
  const counts = `DeviceProcessEvents\n| where FileName startswith "${probe}-"\n| summarize Starts = count() by FileName\n| top 5 by Starts\n| render columnchart`;
  await page.goto(at(counts));
  await page.getByRole("button", { name: "Run query" }).click();
  await page.getByRole("img", { name: /Chart of Starts by FileName, 5 points/ }).waitFor();
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    assert.deepEqual(await axe(page), []);
  }
  await page.getByRole("tab", { name: "Results" }).click();
  await grid().getByRole("button", { name: "FileName" }).click();
  await grid().getByRole("columnheader", { name: "FileName" }).and(page.locator("[aria-sort=ascending]")).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Most started");
  await page.getByRole("checkbox", { name: /Share/ }).check();
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("“Most started”").waitFor();
  await page.goto(`${demo.base}/hunting`);
  await page.getByRole("button", { name: "Queries" }).click();
  await page.getByRole("button", { name: /^Most started/ }).click();
  assert.equal(await editor().inputValue(), counts);
  await page.getByRole("button", { name: "Queries" }).click();
  await page.getByRole("tab", { name: "History" }).click();
  await page.getByRole("button", { name: /top 5 by Starts/ }).first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Run query" }).click();
  await page.getByRole("img", { name: /Chart of/ }).waitFor();
  await page.getByRole("button", { name: "Export" }).click();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: /CSV/ }).click()]);
  const rows = csvRows(readFileSync(await file.path(), "utf8"));
  assert.equal(rows.length, 6);
  assert.match(rows[0], /^FileName,Starts/);
});

test("arrays of make-series are drawn, a line for every series", async () => {
  const series = `DeviceProcessEvents\n| where FileName in ("${probe}-1", "${probe}-2")\n| make-series Starts = count() default = 0 on Timestamp from ago(40m) to now() step 1m by FileName, DeviceName\n| render timechart`;
  await page.goto(at(series));
  await page.getByRole("button", { name: "Run query" }).click();
  const chart = page.getByRole("img", { name: new RegExp(`Chart of ${probe}-[12], .*${probe}-[12], .* by Timestamp, 40 points`) });
  await chart.waitFor();
  assert.equal(await chart.locator("path").count(), 2);
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    await still(page);
    assert.deepEqual(await axe(page), []);
    await page.screenshot({ path: `${process.env.PICKET_SHOTS ?? demo.dir}/hunting-series-${scheme}.png` });
  }
  await page.getByRole("tab", { name: "Bars" }).click();
  await chart.locator("rect").first().waitFor({ state: "attached" });
  assert.equal(await chart.locator("rect").count(), 80);
  await page.getByRole("tab", { name: "Results" }).click();
  await grid().getByRole("columnheader", { name: "Timestamp" }).waitFor();
});

test("a query that takes long is canceled", async () => {
  await page.goto(at("range a from 1 to 100000000 step 1 | extend b = a % 1000003, c = tostring(a) | summarize dcount(c) by b | count"));
  await page.getByRole("button", { name: "Run query" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText(/Canceled/).waitFor();
  await page.getByRole("button", { name: "Run query" }).waitFor();
});

test("an event leads to a prepared query", async () => {
  const e = (await read(context, demo, `/devices/${device.id}/timeline?q=${probe}&action=ProcessCreated`)).items[0];
  await page.goto(`${demo.base}/devices/${device.id}/timeline?open=${e.id}`);
  await page.getByRole("link", { name: "Hunt for related events" }).click();
  await page.getByRole("heading", { level: 1, name: "Hunting" }).waitFor();
  const prepared = await editor().inputValue();
  assert.match(prepared, new RegExp(device.id));
  await editor().fill(`${prepared}\n| where FileName == "${probe}"`);
  await page.getByRole("button", { name: "Run query" }).click();
  await grid().getByRole("gridcell", { name: `${probe} --first` }).first().waitFor();
});

test("selected device groups narrow a query; another selection keeps no rows", async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${demo.base}/hunting?${new URLSearchParams({ query: "DeviceInfo | summarize Devices = count() by OSPlatform", group: "0" })}`);
  await page.getByRole("button", { name: "Run query" }).click();
  await page.getByText(/^1 row · /).waitFor();
  await page.getByRole("tab", { name: "Bars" }).click();
  await page.getByRole("img", { name: /Chart of Devices/ }).waitFor();
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    await still(page);
    assert.deepEqual(await axe(page), []);
  }
  const made = await context.request.post(`${demo.base}/api/x/device-groups`, { headers: { origin: demo.base }, data: { name: "Nobody", description: "", rules: [{ conditions: [{ property: "name", operator: "equals", values: ["nobody"] }] }] } });
  assert.ok(made.ok(), await made.text());
  await page.reload();
  await page.getByRole("button", { name: "Run query" }).click();
  await page.getByText(/^1 row · /).waitFor();
  await page.getByRole("button", { name: /^Selected device groups/ }).click();
  const box = page.getByRole("dialog", { name: "Select device groups" });
  await box.getByRole("list").getByRole("checkbox", { name: "Nobody" }).check();
  await box.getByRole("list").getByRole("checkbox", { name: "Ungrouped devices" }).uncheck();
  await box.getByRole("button", { name: "Apply" }).click();
  await page.getByText("No query was run").waitFor();
  assert.match(page.url(), /group=1/);
  assert.match(await editor().inputValue(), /^DeviceInfo/);
  await page.getByRole("button", { name: "Run query" }).click();
  await page.getByText(/^0 rows/).waitFor();
});

test("what evaluate gives is shown, and completion knows it", async () => {
  await page.goto(at(`DeviceProcessEvents | where FileName startswith "${probe}-" | evaluate pivot(FileName, count(), DeviceName)`));
  await page.getByRole("button", { name: "Run query" }).click();
  await grid().getByRole("columnheader", { name: `${probe}-1` }).waitFor();
  await editor().fill("DeviceProcessEvents | ");
  await editor().pressSequentially("make-s");
  await page.getByRole("listbox", { name: "Completions" }).getByRole("option", { name: /make-series/ }).waitFor();
  await page.keyboard.press("Escape");
});

test("history ends with the session", async () => {
  const kept = () => page.evaluate(() => Object.keys(localStorage).filter((k) => k.startsWith("picket-hunts")));
  assert.equal((await kept()).length, 1);
  assert.match((await kept())[0], /^picket-hunts:./, "it is kept for nobody");
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("menuitem", { name: /Sign out/ }).click();
  await page.waitForURL(/\/login/);
  assert.deepEqual(await kept(), []);
});
