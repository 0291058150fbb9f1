// Indicators: one is made in the browser and its alert comes when a program of this
// machine is seen; changed, deleted and found by filters; a file with wrong lines.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, readFileSync, realpathSync, writeFileSync, appendFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, newPage, programStarted, read, signIn, startBrowser, startDemo, still, until, wear } from "./harness.mjs";

let demo, browser, context, page;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  context = await signIn(browser, demo);
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const panel = (name) => page.getByRole("dialog", { name });

test("an indicator is made by keyboard and raises an alert when its file runs", async () => {
  const [device] = (await until("this machine", async () => { const p = await read(context, demo, "/devices"); return p.items.length > 0 && p; })).items;
  await programStarted(context, demo, device); // the sensors listen
  const program = path.join(demo.dir, "suspicious");
  copyFileSync(realpathSync("/usr/bin/true"), program);
  appendFileSync(program, demo.dir); // no other file has its hash
  chmodSync(program, 0o755);
  const hash = createHash("sha256").update(readFileSync(program)).digest("hex");
  await page.goto(`${demo.base}/settings/indicators`);
  await page.getByText("No indicators yet").waitFor();
  await page.getByText(/Nothing is prevented on endpoints/).waitFor();
  await page.getByRole("button", { name: "New indicator" }).focus();
  await page.keyboard.press("Enter");
  const p = panel("New indicator");
  await p.waitFor();
  assert.equal(new URL(page.url()).searchParams.get("open"), "new");
  await p.getByLabel("Value").fill("x");
  await p.getByLabel("Title").fill("Seen in case 77");
  await p.getByLabel("Description").fill("Loader of case 77.");
  await p.getByLabel("Action", { exact: true }).selectOption("Block and remediate");
  await p.getByText(/not enforced on endpoints/).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await p.getByRole("button", { name: "Save" }).click();
  await p.getByText(/must be 64 hexadecimal digits/).waitFor();
  page.wrong.length = 0; // the browser writes the refusal down
  await p.getByLabel("Value").fill(hash.toUpperCase());
  await p.getByLabel("Severity of its alerts").selectOption("High");
  await p.getByRole("button", { name: "Save" }).focus();
  await page.keyboard.press("Enter");
  await p.waitFor({ state: "detached" });
  const row = page.getByRole("row", { name: new RegExp(hash, "i") });
  await row.getByText("Not enforced").waitFor();
  const alert = await until("the alert", async () => {
    execFileSync(program);
    return (await read(context, demo, "/alerts?source=CustomerTI")).items[0];
  });
  assert.match(alert.title, /^Seen in case 77: /);
  assert.equal(alert.severity, "High");
  await row.getByRole("link").click();
  const one = panel(new RegExp(hash, "i"));
  await one.getByRole("link", { name: "Alerts of this indicator" }).click();
  await page.getByRole("table", { name: "Alerts" }).getByText(/^Seen in case 77/).first().waitFor();
  assert.deepEqual(page.wrong, []);
});

test("a file is imported line by line, and the list is filtered, changed and deleted", async () => {
  const file = path.join(demo.dir, "list.csv");
  writeFileSync(file, '\uFEFFIndicatorType,IndicatorValue,Action,Severity,Title,Description,GenerateAlert,RbacGroups\r\nDomainName,evil.example,Block,High,"C2, of case 78","two\nlines",TRUE,\nIpAddress,192.0.2.0/24,Audit,Low,t,d,TRUE,\nFileMd5x,00,Audit,Low,t,d,TRUE,\nUrl,https://evil.example/x,Audit,Low,,d,TRUE,\nIpAddress,192.0.2.9,Audit,Low,t,d,TRUE,Nobody\nIpAddress,192.0.2.7,Audit,Low,Scanner,d,TRUE,\n');
  await page.goto(`${demo.base}/settings/indicators?open=import`);
  const p = panel("Import indicators");
  await p.getByLabel("Files to import").setInputFiles(file);
  await p.getByText("2 lines taken, 4 refused.").waitFor();
  for (const [line, text] of [["2", "Taken"], ["4", "ranges cannot be matched"], ["5", "no type of indicators"], ["6", "title"], ["7", "no device group"], ["8", "Taken"]]) {
    await p.getByRole("row", { name: new RegExp(`^${line} .*${text}`) }).waitFor();
  }
  page.wrong.length = 0; // a line whose form is refused
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press("Escape");
  await p.waitFor({ state: "detached" });
  await page.goto(`${demo.base}/settings/indicators?type=DomainName,IpAddress&severity=High`);
  await page.getByRole("link", { name: "evil.example" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "192.0.2.7" }).count(), 0);
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    assert.deepEqual(await axe(page), []);
    if (process.env.PICKET_PICTURES) await page.screenshot({ path: path.join(process.env.PICKET_PICTURES, `indicators-${scheme}.png`) });
  }
  await page.getByRole("link", { name: "evil.example" }).click();
  const one = panel("evil.example");
  await one.getByLabel("Expires at the end of").fill("2099-12-31");
  await one.getByLabel("Severity of its alerts").selectOption("Low");
  if (process.env.PICKET_PICTURES) await page.screenshot({ path: path.join(process.env.PICKET_PICTURES, "indicators-form.png") });
  await one.getByRole("button", { name: "Save" }).click();
  await one.waitFor({ state: "detached" });
  await page.getByText("Nothing matches").waitFor();
  const got = (await read(context, demo, "/indicators?q=evil.example")).items[0];
  assert.equal(`${got.severity} ${got.expires_at} ${got.description}`, "Low 2099-12-31T23:59:59Z two\nlines");
  await page.goto(`${demo.base}/settings/indicators?open=${got.id}`);
  await one.getByRole("button", { name: "Delete" }).click();
  await one.getByRole("button", { name: "Delete it" }).click();
  await one.waitFor({ state: "detached" });
  await until("it is gone", async () => (await read(context, demo, "/indicators?q=evil.example")).items.length === 0);
  assert.deepEqual(page.wrong, []);
});
