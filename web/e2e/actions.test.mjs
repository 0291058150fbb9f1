// Response actions: asked for on the page of a device and on the Devices list,
// followed in the Action center. The agent is this machine's own: it collects and
// scans for real, and is never isolated: a rule of approval holds isolation back.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, pkg, read, settled, signIn, startBrowser, startDemo, still, until, wear, writeRoot } from "./harness.mjs";

let demo, browser, context, page, device, other;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const rule = { all_actions: false, actions: ["isolate", "release"], all_devices: true, groups: [], hours: 24 };
  const held = await context.request.put(`${demo.base}/api/x/approval-policy`, { data: { rules: [rule] } });
  assert.equal(held.status(), 200);
  device = await settled(context, demo);
  // A host that is only a root file system: nothing can be done on it.
  const root = path.join(demo.dir, "root");
  writeRoot(root, "flat-host", [pkg("openssl", "3.0.9-1")]);
  demo.host("flat", demo.token(), (await read(context, demo, "/onboarding")).server_url, root);
  other = await until("the second host", async () => (await read(context, demo, "/devices")).items.find((d) => d.name === "flat-host"));
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const bar = () => page.getByRole("toolbar", { name: "Response actions" });
const can = async (id, kind) => (await read(context, demo, `/devices/${id}/action-kinds`)).find((a) => a.id === kind);
const actions = (q) => read(context, demo, `/machine-actions?${q}`);

/** Asks for an action by its panel, which is open; checks that a comment is needed. */
async function ask(name, comment) {
  const panel = page.getByRole("dialog", { name, exact: true });
  await panel.getByRole("button", { name, exact: true }).click();
  await panel.getByText("Say why this is done.").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await panel.getByLabel("Comment").fill(comment);
  await panel.getByRole("button", { name, exact: true }).click();
  await panel.getByRole("status").waitFor();
  return panel;
}

test("a package is collected, followed live, and downloaded", async () => {
  await page.goto(`${demo.base}/devices/${device.id}`);
  await bar().getByRole("button", { name: "Collect investigation package" }).click();
  const panel = await ask("Collect investigation package", "case 7");
  await panel.getByText("Submitted for 1 device.").waitFor();
  await panel.getByRole("button", { name: "Close", exact: true }).click();
  const center = page.getByRole("dialog", { name: "Action center" });
  await center.getByText("case 7").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("center"), "true");
  const link = center.getByRole("link", { name: "Download package" });
  await link.waitFor(); // live: the page is not asked again
  await center.getByText("Succeeded").first().waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  assert.equal(readFileSync(await download.path()).subarray(0, 2).toString(), "PK");
  await page.reload();
  await page.getByRole("dialog", { name: "Action center" }).getByText("case 7").waitFor();
  await page.keyboard.press("Escape");
  await until("the panel to be closed", () => new URL(page.url()).searchParams.get("center") === null);
  assert.deepEqual(page.wrong, []);
});

test("a scan runs, or the button says why not", async () => {
  const kind = await can(device.id, "scan");
  await page.goto(`${demo.base}/devices/${device.id}`);
  const button = bar().getByRole("button", { name: "Run antivirus scan" });
  await button.waitFor();
  if (!kind.can) {
    assert.equal(await button.getAttribute("aria-disabled"), "true");
    assert.equal(await button.getAttribute("title"), kind.why_not);
    return;
  }
  await button.click();
  await ask("Run antivirus scan", "case 8");
  await until("the scan to end", async () => ["Succeeded", "Failed"].includes((await actions(`kind=scan&device=${device.id}`)).items[0]?.status));
});

test("isolation that waits for somebody else is never sent, and is cancelled", async () => {
  const kind = await can(device.id, "isolate");
  await page.goto(`${demo.base}/devices/${device.id}`);
  const button = bar().getByRole("button", { name: "Isolate device" });
  await button.waitFor();
  if (!kind.can) {
    assert.equal(await button.getAttribute("title"), kind.why_not);
    return;
  }
  await button.click();
  await page.getByRole("dialog", { name: "Isolate device" }).getByLabel("Ends").selectOption("1");
  const panel = await ask("Isolate device", "case 9");
  await panel.getByText("Somebody else has to approve it first").waitFor();
  await panel.getByText("Waits for approval").waitFor();
  await panel.getByRole("button", { name: "Close", exact: true }).click();
  const center = page.getByRole("dialog", { name: "Action center" });
  await center.getByRole("button", { name: "Cancel action" }).click();
  await center.getByLabel("Why it is cancelled").fill("a mistake");
  await center.getByRole("button", { name: "Cancel action" }).click();
  await center.getByText(/: a mistake$/).waitFor();
  const [row] = (await actions(`kind=isolate&device=${device.id}`)).items;
  assert.equal(row.status, "Cancelled");
  assert.equal(row.sent_at, undefined);
  assert.equal((await read(context, demo, `/devices/${device.id}`)).isolation?.on ?? false, false);
});

test("several devices at once: each has its own answer", async () => {
  const flat = await can(other.id, "collect"); // before: afterwards one is going on
  await page.goto(`${demo.base}/devices`);
  for (const d of [device, other]) await page.getByRole("checkbox", { name: new RegExp(d.name) }).check();
  await page.getByRole("button", { name: "Response actions" }).press("Enter");
  await page.getByRole("menuitem", { name: "Collect packages" }).press("Enter");
  const panel = await ask("Collect investigation package", "case 10");
  const results = panel.getByRole("table", { name: "Results" });
  await panel.getByText(flat.can ? "Submitted for 2 devices." : "Submitted for 1 of 2 devices.").waitFor();
  assert.equal(await results.getByRole("row").count(), 3);
  await still(page);
  assert.deepEqual(await axe(page), []);
  await panel.getByRole("button", { name: "Close", exact: true }).click();
});

test("the Action center of all devices: history, filter, export, deep link, keyboard, dark", async () => {
  await page.goto(`${demo.base}/actions`);
  await page.getByRole("tab", { name: "History" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("table", { name: "Actions" }).waitFor();
  await page.goto(`${demo.base}/actions?kind=collect&status=any`);
  await page.getByRole("table", { name: "Actions" }).getByText("case 7").waitFor();
  const { total, items } = await actions("kind=collect");
  await until("as many items as the API has", async () => (await page.getByText(`${total} item`).count()) > 0);
  const csv = await (await context.request.get(`${demo.base}/api/x/machine-actions/export?kind=collect&format=csv`)).text();
  assert.equal(csvRows(csv).length, total + 1);
  const first = items.find((a) => a.comment === "case 7");
  await page.getByRole("row", { name: /case 7/ }).getByRole("link", { name: "Collect investigation package" }).focus();
  await page.keyboard.press("Enter");
  const flyout = page.getByRole("dialog", { name: "Collect investigation package" });
  await flyout.getByText("case 7").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("open"), first.id);
  await page.reload();
  await flyout.getByText("case 7").waitFor();
  for (const scheme of ["dark", "light"]) {
    await wear(page, scheme);
    assert.deepEqual(await axe(page), [], scheme);
  }
  await page.goBack();
  await flyout.waitFor({ state: "detached" });
  assert.deepEqual(page.wrong, []);
});
