// An investigation: started from an alert about a real program of this machine, its
// verdict while the program runs and when it is gone, its arrow on the chart.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, chmodSync, copyFileSync, realpathSync, rmSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, newPage, programStarted, read, signIn, startBrowser, startDemo, still, until, wear } from "./harness.mjs";

let demo, browser, context, page, device, program, running, alert;

const picture = async (name) => {
  if (process.env.PICKET_PICTURES) await page.screenshot({ path: path.join(process.env.PICKET_PICTURES, `${name}.png`) });
};
const end = (child) => new Promise((done) => { child.once("exit", done); child.kill("SIGKILL"); });
const row = (kind) => page.getByRole("table", { name: "Evidence" }).getByRole("row").filter({ hasText: program }).filter({ has: page.getByRole("cell", { name: kind, exact: true }) });

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  context = await signIn(browser, demo);
  page = await newPage(context);
  device = (await until("this machine", async () => { const p = await read(context, demo, "/devices"); return p.items.length > 0 && p; })).items[0];
  await until("its agent can investigate", async () => (await read(context, demo, `/devices/${device.id}/action-kinds`)).some((k) => k.id === "investigate" && k.can));
  await programStarted(context, demo, device); // the sensors listen
  program = path.join(demo.dir, "odd-program");
  copyFileSync(realpathSync("/usr/bin/sleep"), program);
  appendFileSync(program, demo.dir); // no package has a file like it
  chmodSync(program, 0o755);
  const event = await until("the program in the timeline", async () => {
    if (running) await end(running);
    running = spawn(program, ["600"], { stdio: "ignore" });
    await new Promise((done) => setTimeout(done, 3000));
    return (await read(context, demo, `/devices/${device.id}/timeline?action=ProcessCreated&q=odd-program`)).items[0];
  });
  const csrf = await page.goto(`${demo.base}/devices/${device.id}`);
  assert.equal(csrf.status(), 200);
  alert = await page.evaluate(async (body) => (await fetch("/api/x/alerts", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).json(),
    { device_id: device.id, event_id: event.id, severity: "High", title: "An odd program runs", description: "Nobody knows it.", recommended_action: "Look at it.", category: "Malware" });
  assert.ok(alert.id, JSON.stringify(alert));
});

after(async () => {
  if (running) await end(running);
  await browser?.close();
  await demo?.stop();
});

test("from the alert to the verdicts", async () => {
  await page.goto(`${demo.base}/alerts?open=${alert.id}`);
  const flyout = page.getByRole("dialog", { name: /An odd program runs/ });
  await flyout.getByRole("button", { name: "Investigate the device" }).click();
  await page.getByRole("heading", { level: 1, name: /^Investigation \d+$/ }).waitFor();
  await row("File").getByText("Suspicious", { exact: true }).waitFor();
  await row("Process").getByText("Suspicious", { exact: true }).waitFor();
  await row("Process").getByRole("cell", { name: "Still there", exact: true }).waitFor();
  await page.getByText("Partially investigated").first().waitFor();
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    await still(page);
    assert.deepEqual(await axe(page), []);
    await picture(`investigation-${scheme}`);
  }
  await page.getByRole("tab", { name: /^Alerts \(\d+\)$/ }).click();
  await page.getByRole("link", { name: "An odd program runs" }).waitFor();
  await page.reload();
  await page.getByRole("link", { name: "An odd program runs" }).waitFor();
  await page.getByRole("tab", { name: "Log" }).click();
  await page.getByRole("list", { name: "Log" }).getByText(/began to examine/).waitFor();
  await still(page);
  await picture("investigation-log");
  await page.goBack();
  await page.getByRole("link", { name: "An odd program runs" }).click();
  await page.getByRole("dialog", { name: /An odd program runs/ }).getByRole("link", { name: "Partially investigated" }).waitFor();
  assert.deepEqual(page.wrong, []);
});

test("from the device's bar, when the program is gone", async () => {
  await end(running);
  running = undefined;
  rmSync(program);
  await page.goto(`${demo.base}/devices/${device.id}`);
  const bar = page.getByRole("toolbar", { name: "Response actions" });
  await bar.getByRole("button", { name: "Investigate", exact: true }).waitFor();
  await still(page);
  await picture("investigation-device");
  await bar.getByRole("button", { name: "Investigate", exact: true }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: /comment/i }).fill("Is it gone?");
  await still(page);
  await picture("investigation-dialog");
  await dialog.getByRole("button", { name: /investigat|confirm|start/i }).last().click();
  const list = await until("its end", async () => {
    const p = await read(context, demo, `/investigations?device=${device.id}`);
    return p.items.length === 2 && !p.items[0].active && p;
  });
  await page.goto(`${demo.base}/investigations/${list.items[0].id}`);
  for (const kind of ["File", "Process"]) {
    await row(kind).getByText("Unknown", { exact: true }).waitFor();
    await row(kind).getByRole("cell", { name: "Gone", exact: true }).waitFor();
  }
  assert.deepEqual(page.wrong, []);
});

test("each has its arrow on the chart of the timeline", async () => {
  await page.goto(`${demo.base}/devices/${device.id}/timeline`);
  const arrows = page.getByRole("button", { name: /^Investigation \d+: / });
  await until("two arrows", async () => (await arrows.count()) === 2);
  await still(page);
  assert.deepEqual(await axe(page), []);
  await picture("investigation-arrows");
  await page.getByRole("button", { name: /^Investigation 1: / }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: /^Investigation \d+$/ }).waitFor();
  await row("File").getByText("Suspicious", { exact: true }).waitFor();
  assert.deepEqual(page.wrong, []);
});
