// Remediation: requested in the browser, measured on the device, completed by
// the fleet; tickets go to a receiver of this test and come back.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, pkg, read, signIn, startBrowser, startDemo, still, until, writeRoot } from "./harness.mjs";

let demo, browser, context, page, hook, devices;
const limit = 10_000; // what Picket promises: a change is on the page within this many ms
const key = "a-signing-key-of-this-test";
const got = [];
let broken = false;
const packages = { web: ["glibc 2.36-9", "expat 2.5.0-1"], db: ["glibc 2.36-9", "expat 2.5.0-1"] };
const write = (name, list) => writeRoot(path.join(demo.dir, name), `${name}-host`, list.map((p) => pkg(...p.split(" "))));

before(async () => {
  hook = http.createServer((req, res) => {
    let body = "";
    req.on("data", (b) => (body += b));
    req.on("end", () => {
      if (broken) return res.writeHead(503).end("maintenance");
      got.push({ headers: req.headers, body });
      res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ ticket: { id: `T-${got.length}`, url: "https://tickets.example.org/T-1" } }));
    });
  });
  await new Promise((r) => hook.listen(0, "127.0.0.1", r));
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const { server_url: server } = await read(context, demo, "/onboarding");
  for (const name of ["web", "db"]) {
    write(name, packages[name]);
    demo.host(name, demo.token(), server, path.join(demo.dir, name));
  }
  devices = await until("both devices with their software", async () => {
    const all = (await read(context, demo, "/devices?sort=name")).items;
    return all.length === 2 && all.every((d) => d.software === 2 && d.weaknesses > 0) && all;
  });
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
  hook?.closeAllConnections();
  hook?.close();
});

const activities = async () => (await read(context, demo, "/remediations")).items;
const flyout = () => page.getByRole("dialog", { name: "Update expat" });

test("a place for tickets is set up, and its secret is told to nobody", async () => {
  await page.goto(`${demo.base}/settings/ticketing`);
  await page.getByText("No place for tickets is set up").waitFor();
  await page.getByRole("button", { name: "Add a destination" }).click();
  await page.getByRole("menuitem", { name: "Webhook" }).click();
  const form = page.getByRole("dialog", { name: "Add Webhook" });
  await form.getByRole("textbox", { name: "Name" }).fill("Operations");
  await form.getByRole("textbox", { name: "Address" }).fill("http://hooks.example.org/in");
  await form.getByLabel("Signing key").fill(key);
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByText(/must begin with https/).waitFor();
  assert.deepEqual(page.wrong.splice(0).filter((w) => !w.includes("422")), []);
  await form.getByRole("textbox", { name: "Address" }).fill(`http://127.0.0.1:${hook.address().port}/in`);
  await form.getByRole("button", { name: "Save" }).click();
  const card = page.getByRole("region", { name: "Operations" });
  await card.getByText("On", { exact: true }).waitFor();
  await card.getByRole("button", { name: "Send a test to Operations" }).click();
  await card.getByText("The test message was taken.").waitFor();
  const { headers, body } = got[0];
  assert.equal(headers["picket-signature"], `v1=${createHmac("sha256", key).update(`${headers["picket-timestamp"]}.${body}`).digest("hex")}`);
  assert.equal(JSON.parse(body).event, "remediation.test");
  assert.ok(!JSON.stringify(await read(context, demo, "/ticketing")).includes(key));
});

test("remediation is requested from a recommendation", async () => {
  const recs = (await read(context, demo, "/recommendations?size=100")).items;
  const todo = recs.find((r) => r.component === "expat" && r.type === "Update");
  await page.goto(`${demo.base}/recommendations?open=${encodeURIComponent(todo.id)}`);
  await flyout().getByRole("button", { name: "Request remediation" }).click();
  const form = page.getByRole("dialog", { name: "Request remediation" });
  await form.getByText("This makes an activity").waitFor();
  await form.getByRole("radio", { name: "Attention required" }).check();
  assert.equal(await form.getByLabel("Due date").count(), 0, "attention required has a due date");
  await form.getByRole("radio", { name: "Update (recommended)" }).check();
  await form.getByRole("radio", { name: "High" }).check();
  await form.getByLabel("Due date").fill("2199-01-31");
  await form.getByRole("textbox", { name: "Notes" }).fill("Before the audit <b>please</b>");
  await form.getByRole("checkbox", { name: "Operations (Webhook)" }).check();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await form.getByRole("button", { name: "Request for 2 devices" }).click();
  await page.getByRole("heading", { level: 1, name: "Remediation" }).waitFor();
  await flyout().getByText("Before the audit <b>please</b>").waitFor();
  await flyout().getByRole("progressbar", { name: "Progress: 2 exposed" }).waitFor();
  const [a] = await activities();
  assert.equal(new URL(page.url()).searchParams.get("open"), a.id);
  assert.deepEqual([a.priority, a.due, a.status, a.progress.targets], ["High", "2199-01-31", "Active", 2]);
  await until("the ticket at its receiver", () => got.length === 2);
  assert.equal(JSON.parse(got[1].body).id, a.id);
  await flyout().getByRole("tab", { name: "Tickets" }).click();
  await flyout().getByText("Sent", { exact: true }).first().waitFor();
  await flyout().getByRole("link", { name: "T-2" }).waitFor();
});

test("due date, priority and notes are edited, and the history says so", async () => {
  await flyout().getByRole("button", { name: "Edit" }).click();
  const form = flyout().getByRole("form", { name: "Edit the activity" });
  assert.equal(await form.getByRole("button", { name: "Save" }).isDisabled(), true, "nothing was changed yet");
  await form.getByRole("radio", { name: "Medium" }).check();
  await form.getByLabel("Due date").fill("2198-12-24");
  await form.getByRole("textbox", { name: "Notes" }).fill("after the audit");
  await still(page);
  assert.deepEqual(await axe(page), []);
  await form.getByRole("button", { name: "Save" }).click();
  await form.waitFor({ state: "detached" });
  await flyout().getByRole("tab", { name: "Details" }).click();
  await flyout().getByText("after the audit").waitFor();
  await flyout().getByText("Dec 24, 2198").waitFor();
  const [a] = await activities();
  assert.deepEqual([a.priority, a.due, a.notes], ["Medium", "2198-12-24", "after the audit"]);
  await flyout().getByRole("tab", { name: "History" }).click();
  await flyout().getByText("priority High → Medium, due 2199-01-31 → 2198-12-24, notes changed").waitFor();
});

test("progress follows the devices on the open page, to completion by the fleet", async () => {
  const [a] = await activities();
  await page.goto(`${demo.base}/remediation?open=${a.id}`);
  await flyout().getByRole("progressbar", { name: "Progress: 2 exposed" }).waitFor();
  await page.evaluate(() => (window.stayed = true));
  const { fixes } = await read(context, demo, `/recommendations/${encodeURIComponent(a.recommendation_id)}`);
  const mended = packages.web.map((p) => (p.startsWith("expat") ? `expat ${fixes[0].version}` : p));
  let start = Date.now();
  write("web", mended);
  await flyout().getByRole("progressbar", { name: "Progress: 1 fixed, 1 exposed" }).waitFor({ timeout: limit });
  console.log(`# upgrade to progress: ${Date.now() - start} ms`);
  await flyout().getByRole("tab", { name: "Targets (2)" }).click();
  await flyout().getByRole("row", { name: /web-host.*Fixed/ }).waitFor();
  await flyout().getByRole("row", { name: /db-host.*Exposed/ }).waitFor();
  start = Date.now();
  write("db", mended);
  await flyout().getByText("Completed", { exact: true }).waitFor({ timeout: limit });
  console.log(`# upgrade to completion: ${Date.now() - start} ms`);
  await flyout().getByRole("tab", { name: "Details" }).click();
  await flyout().getByText("System confirmation").waitFor();
  await until("the completion at the receiver", () => got.length === 3);
  assert.equal(JSON.parse(got[2].body).event, "remediation.completed");
  assert.equal(await page.evaluate(() => window.stayed), true, "the page was loaded again");
  await page.getByRole("row", { name: /Update expat.*Completed.*2 \/ 2.*System confirmation/ }).waitFor();
});

test("exposed again, the activity opens by itself; people complete and re-open it", async () => {
  write("db", packages.db);
  await flyout().getByText("Active", { exact: true }).waitFor({ timeout: limit });
  await flyout().getByRole("button", { name: "Mark as completed" }).click();
  const ask = flyout().getByRole("form", { name: "Mark as completed" });
  await ask.getByRole("textbox").fill("risk is taken");
  await ask.getByRole("button", { name: "Mark as completed" }).click();
  await flyout().getByText("Completed", { exact: true }).first().waitFor();
  await flyout().getByRole("button", { name: "Re-open" }).click();
  await flyout().getByRole("form", { name: "Re-open" }).getByRole("button", { name: "Re-open" }).click();
  await flyout().getByText("Active", { exact: true }).waitFor();
  await flyout().getByRole("tab", { name: "History" }).click();
  const lines = await flyout().getByRole("list", { name: "History" }).getByRole("listitem").allInnerTexts();
  for (const want of [/Re-opened by (?!System)/, /Completed by (?!System).*risk is taken/s, /Re-opened by System.*db-host/s, /Completed by System confirmation/, /Requested by.*2 exposed devices/s]) assert.ok(lines.some((l) => want.test(l)), `${want} is not in ${lines.join(" | ")}`);
});

test("a receiver in trouble is told on the activity, and a retry delivers", async () => {
  const [a] = await activities();
  broken = true;
  const { items } = await read(context, demo, "/ticketing").then((list) => ({ items: list }));
  const glibc = (await read(context, demo, "/recommendations?size=100")).items.find((r) => r.component === "glibc");
  const made = await context.request.post(`${demo.base}/api/x/remediations`, { data: { recommendation_id: glibc.id, type: glibc.type, priority: "Low", destinations: [items[0].id] }, headers: { Origin: demo.base } });
  assert.equal(made.status(), 201, await made.text());
  const { id, title } = await made.json();
  await page.goto(`${demo.base}/remediation?open=${id}&view=tickets`);
  const dialog = page.getByRole("dialog", { name: title });
  await dialog.getByText(/503 Service Unavailable: maintenance\./).waitFor();
  await page.getByRole("row", { name: new RegExp(`${title}.*Not delivered`) }).waitFor();
  broken = false;
  await dialog.getByRole("button", { name: "Retry now" }).click();
  await dialog.getByText("Sent", { exact: true }).first().waitFor();
  assert.equal(new Set(got.map((g) => g.headers["idempotency-key"])).size, got.length);
  assert.notEqual(a.id, id);
});

test("the dashboard shows what is under way and leads to it", async () => {
  await page.goto(`${demo.base}/dashboard`);
  const card = page.getByRole("region", { name: "Top remediation activities" });
  await card.locator("tbody tr").first().getByRole("link", { name: "Update expat" }).click();
  await flyout().waitFor();
  await page.goBack();
  await card.getByRole("link", { name: "Show more (2)" }).click();
  await page.getByText("2 items", { exact: true }).waitFor();
  await page.goto(`${demo.base}/recommendations`);
  await page.getByRole("link", { name: "Update expat" }).click();
  await page.getByRole("dialog").getByRole("link", { name: "1 activity" }).click();
  await page.getByText("1 item", { exact: true }).waitFor();
});

test("filters are in the address, exports hold what is filtered, every view is accessible", async () => {
  await page.goto(`${demo.base}/remediation?priority=Medium`);
  await page.getByText("1 item", { exact: true }).waitFor();
  for (const [format, rows] of [["CSV", (t) => csvRows(t).length - 1], ["JSON Lines", (t) => t.split("\n").filter((l) => l !== "" && JSON.parse(l)).length]]) {
    await page.getByRole("button", { name: "Export" }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: new RegExp(`^${format}`) }).click()]);
    assert.equal(rows(readFileSync(await download.path(), "utf8")), 1);
  }
  const [a] = (await read(context, demo, "/remediations?priority=Medium")).items;
  for (const view of ["", "devices", "tickets", "history"]) {
    await page.goto(`${demo.base}/remediation?open=${a.id}${view && `&view=${view}`}`);
    await flyout().getByRole("tab", { selected: true }).waitFor();
    await still(page);
    assert.deepEqual(await axe(page), [], view);
  }
  await flyout().getByRole("button", { name: "Export targets" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "CSV" }).click()]);
  assert.equal(csvRows(readFileSync(await download.path(), "utf8")).length, 3);
  await page.goto(`${demo.base}/settings/ticketing`);
  await page.getByRole("region", { name: "Operations" }).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
});

test("nothing went wrong on the way", () => {
  assert.deepEqual(page.wrong, []);
  assert.equal(devices.length, 2);
});
