// The audit log: what is done and refused appears on the page while it is open, and the chain holds.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, newPage, read, signIn, startBrowser, startDemo, still } from "./harness.mjs";

let demo, browser, context, page;

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const log = () => page.getByRole("table", { name: "Audit log" }).or(page.getByRole("grid", { name: "Audit log" }));

test("a device group that is made and deleted is told, with what it was", async () => {
  const made = await context.request.post(`${demo.base}/api/x/device-groups`, { data: { name: "web servers", rules: [] }, headers: { Origin: demo.base } });
  assert.ok(made.ok(), await made.text());
  const { id } = await made.json();
  await page.goto(`${demo.base}/settings/audit`);
  await page.getByRole("heading", { level: 1, name: "Audit log" }).waitFor();
  await log().getByText("Create device group").first().waitFor();
  await log().getByText("Sign in by link").first().waitFor();
  const gone = await context.request.delete(`${demo.base}/api/x/device-groups/${id}`, { headers: { Origin: demo.base } });
  assert.ok(gone.ok(), await gone.text());
  const row = log().getByText("Delete device group").first();
  await row.waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await row.click();
  const panel = page.getByRole("dialog", { name: "Delete device group" });
  await panel.getByText("web servers").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
});

test("what is refused is listed as denied", async () => {
  const wrong = await fetch(`${demo.base}/api/x/session`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ username: "mallory", password: "wrong wrong wrong" }) });
  assert.equal(wrong.status, 401);
  await page.goto(`${demo.base}/settings/audit?outcome=denied`);
  await log().getByText("mallory").waitFor();
  assert.equal(await log().getByText("Delete device group").count(), 0);
  const rows = (await read(context, demo, "/audit?outcome=denied")).items;
  assert.equal(rows[0].actor, "mallory");
  assert.ok(!JSON.stringify(rows).includes("wrong wrong"), "a password is in the log");
});

test("the chain holds, and its head is the last entry", async () => {
  const state = JSON.parse(demo.verb("audit", "verify", "--json"));
  const last = (await read(context, demo, "/audit?size=1")).items[0];
  assert.equal(String(state.entries), last.id);
  assert.equal(state.head, last.hash);
});
