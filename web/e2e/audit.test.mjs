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

test("the log is narrowed to who, what, on which, from where and when, in the address, live and in the export", async () => {
  const send = async (method, path, description) => {
    const res = await context.request[method](`${demo.base}/api/x${path}`, { data: { name: "lab", description, rules: [] }, headers: { Origin: demo.base } });
    assert.ok(res.ok(), await res.text());
    return String((await res.json()).id);
  };
  const id = await send("post", "/device-groups", "first");
  await send("put", `/device-groups/${id}`, "second");
  await page.goto(`${demo.base}/settings/audit`);
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  const panel = page.getByRole("dialog", { name: "Filter" });
  await panel.getByRole("checkbox", { name: "Save device group" }).check();
  await panel.getByRole("checkbox", { name: "admin", exact: true }).check();
  await panel.getByRole("checkbox", { name: "127.0.0.1" }).check();
  await panel.getByRole("textbox", { name: "On: another value" }).fill(id);
  await panel.getByRole("textbox", { name: "On: another value" }).press("Enter");
  await panel.getByLabel("Not before").fill("2026-01-01T00:00:00");
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.screenshot({ path: `${process.env.PICKET_SHOTS ?? demo.dir}/audit-filter.png` });
  await panel.getByRole("button", { name: "Apply" }).click();
  await page.waitForURL(/action=save-device-group&actor=admin&from=/);
  const rows = log().getByText("Save device group");
  await rows.first().waitFor();
  const before = await rows.count();
  await send("put", `/device-groups/${id}`, "third"); // the page is open: the change appears, and nothing else does
  await rows.nth(before).waitFor();
  assert.equal(await log().getByText("Create device group").count(), 0);
  await page.reload(); // the address alone has the filters
  await rows.first().waitFor();
  assert.equal(await rows.count(), before + 1);
  const query = new URL(page.url()).searchParams;
  const file = await (await context.request.get(`${demo.base}/api/x/audit/export?${query}&format=jsonl`)).text();
  const lines = file.trim().split("\n").map((l) => JSON.parse(l)).filter((r) => r.hash);
  assert.equal(lines.length, before + 1);
  assert.ok(lines.every((r) => r.action === "save-device-group" && r.actor === "admin" && r.object === id && r.remote === "127.0.0.1"), file);
  await page.getByRole("button", { name: "Remove filter Not before" }).click();
  await page.waitForURL((u) => !u.searchParams.has("from"));
  await page.goto(`${demo.base}/settings/audit?to=2026-01-01T00:00:00.000Z`);
  await page.getByText("Nothing matches").waitFor();
  await still(page);
  await page.screenshot({ path: `${process.env.PICKET_SHOTS ?? demo.dir}/audit-none.png` });
});

test("the chain holds, and its head is the last entry", async () => {
  const state = JSON.parse(demo.verb("audit", "verify", "--json"));
  const last = (await read(context, demo, "/audit?size=1")).items[0];
  assert.equal(String(state.entries), last.id);
  assert.equal(state.head, last.hash);
});
