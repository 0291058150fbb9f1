// A file across devices: a program runs on this machine, its hash leads from the event's
// flyout to the page of the file; run under another name, the page knows that one too.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, read, signIn, startBrowser, startDemo, still, until, wear } from "./harness.mjs";

let demo, browser, context, page, device;
const probe = `picket-entity-${process.pid}`;

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

/** Runs a program that nobody else has, under a name. */
function run(name) {
  const dir = path.join(demo.dir, "probe");
  mkdirSync(dir, { recursive: true });
  const file = path.join(dir, name);
  copyFileSync("/usr/bin/true", file);
  appendFileSync(file, probe); // a hash of its own
  execFileSync(file);
}

const started = (name) => until(`the start of ${name}`, async () => (await read(context, demo, `/devices/${device.id}/timeline?q=${name}&action=ProcessCreated`)).items.find((r) => r.fields.SHA256));

test("from an event to its file, and what other names it went by", async () => {
  run(`${probe}-one`);
  const e = await started(`${probe}-one`);
  await page.goto(`${demo.base}/devices/${device.id}/timeline?open=${e.id}&view=columns`);
  await page.getByRole("dialog").getByRole("link", { name: e.fields.SHA256 }).click();
  await page.getByRole("heading", { level: 1, name: `${probe}-one` }).waitFor();
  await page.getByText("1 device", { exact: true }).first().waitFor();
  await page.getByRole("table", { name: "Devices that met it" }).getByRole("link", { name: device.name }).waitFor();
  assert.equal(await page.getByText(`${probe}-two`).count(), 0);
  run(`${probe}-two`);
  await started(`${probe}-two`);
  await page.reload();
  await page.getByText(`${probe}-two`).first().waitFor();
  await page.getByRole("tab", { name: "Newest events" }).click();
  await page.getByRole("table", { name: "Newest events" }).getByRole("link", { name: new RegExp(`started ${probe}-two`) }).waitFor();
  assert.match(page.url(), /tab=events/);
  await page.goBack();
  await page.getByRole("table", { name: "Devices that met it" }).waitFor();
  const csv = csvRows(await (await context.request.get(`${demo.base}/api/x/files/${e.fields.SHA256}/devices/export?format=csv`)).text());
  assert.equal(csv.length, 2, "a head and one device");
  await still(page);
  assert.deepEqual(await axe(page), []);
});

test("an address, a user and what nobody met", async () => {
  await page.goto(`${demo.base}/entities/user/root?days=7`);
  await page.getByText("What the account did").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.goto(`${demo.base}/entities/ip/192.0.2.99`);
  await page.getByText("No device that you see has spoken to this address.").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.getByRole("combobox", { name: "How far back" }).selectOption("90");
  await page.waitForURL(/days=90/);
});

test("alerts whose evidence names a file are on its page", async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  const e = await started(`${probe}-one`);
  const made = await context.request.post(`${demo.base}/api/x/alerts`, {
    data: { device_id: device.id, event_id: e.id, severity: "Low", title: "An odd program", description: "Nobody knows it.", recommended_action: "Ask who it was.", category: "Execution", techniques: ["T1059"] },
  });
  assert.equal(made.status(), 201, await made.text());
  await page.goto(`${demo.base}/entities/file/${e.fields.SHA256}`);
  await page.getByRole("tab", { name: "Alerts" }).click();
  await page.getByRole("table", { name: "Alerts" }).getByRole("link", { name: "An odd program" }).waitFor();
  assert.match(page.url(), /tab=alerts/);
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    await still(page);
    assert.deepEqual(await axe(page), []);
  }
  await page.getByRole("link", { name: "An odd program" }).click();
  await page.getByRole("dialog").getByText("An odd program").first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("searchbox", { name: "Search alerts" }).fill("nothing like it");
  await page.getByText("Nothing matches").waitFor();
  assert.match(page.url(), /tab=alerts/);
});

test("techniques of a timeline are chosen from those that occur", async () => {
  const t = (await read(context, demo, `/devices/${device.id}/timeline/techniques`)).find((x) => x.id === "T1059");
  assert.ok(t?.name, "the alert's technique does not occur");
  await page.goto(`${demo.base}/devices/${device.id}/timeline`);
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  const panel = page.getByRole("dialog", { name: "Filter" });
  await panel.getByRole("checkbox", { name: new RegExp(`^T1059 ${t.name}`) }).waitFor();
  await panel.getByRole("searchbox", { name: /ATT&CK technique: search/ }).fill("nothing like it");
  await until("fewer choices", async () => (await panel.getByRole("checkbox", { name: /^T1/ }).count()) === 0);
  await panel.getByRole("searchbox", { name: /ATT&CK technique: search/ }).fill(t.name.toUpperCase());
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    await still(page);
    assert.deepEqual(await axe(page), []);
  }
  await panel.getByRole("checkbox", { name: /^T1059 / }).check();
  await panel.getByRole("button", { name: "Apply" }).click();
  await page.getByText(new RegExp(`T1059 ${t.name}`)).first().waitFor();
  assert.match(page.url(), /technique=T1059/);
});
