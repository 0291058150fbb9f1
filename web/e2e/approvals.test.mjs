// Four eyes and lockdown: an administrator asks, another one approves, in two
// browsers on a real server with a real agent; a reader may do nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, newContext, newPage, read, signIn, startBrowser, startDemo, still, until, wear } from "./harness.mjs";

let demo, browser, boss, page, second, other, device;

/** A person who is signed in in a browser of the own. */
async function hire(name, groups) {
  const r = await boss.request.post(`${demo.base}/api/x/people`, { data: { name, user_groups: groups } });
  assert.equal(r.status(), 201);
  const context = await newContext(browser);
  const p = await newPage(context);
  await p.goto(`${demo.base}/welcome#${(await r.json()).secret}`);
  await p.waitForURL(/devices|account/);
  return [context, p];
}

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  boss = await signIn(browser, demo);
  const groups = await read(boss, demo, "/user-groups");
  const admins = groups.find((g) => g.built_in);
  [second, other] = await hire("second", [admins.id]);
  device = await until("the agent to be connected", async () => (await read(boss, demo, "/devices")).items.find((d) => d.connected && d.software > 0));
  page = await newPage(boss);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("a rule is made; checking in waits for somebody else", async () => {
  await page.goto(`${demo.base}/settings/approvals`);
  await page.getByRole("button", { name: "New rule" }).click();
  const panel = page.getByRole("dialog", { name: "New rule of approval" });
  await panel.getByLabel("All devices").check();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await panel.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Every action on all devices" }).waitFor();
  assert.deepEqual(await axe(page), []);

  await page.goto(`${demo.base}/devices/${device.id}`);
  await page.getByRole("button", { name: "Check in now" }).click();
  const ask = page.getByRole("dialog", { name: "Check in now" });
  await ask.getByLabel("Comment").fill("case 7");
  await still(page);
  assert.deepEqual(await axe(page), []);
  await ask.getByRole("button", { name: "Check in", exact: true }).click();
  await ask.getByText("Somebody else has to approve this first.").waitFor();
  await ask.getByRole("button", { name: "Close" }).last().click();
  await page.getByRole("link", { name: "Check in waits for approval" }).click();
  await page.getByText("Somebody else than who asked has to decide.").waitFor();
});

test("the other one is told at once, approves, and both see it", async () => {
  await other.goto(`${demo.base}/approvals`);
  await other.getByText("A request waits for your approval.").waitFor();
  await other.getByRole("row", { name: /Check in now/ }).click();
  await other.getByLabel("Note").fill("go on");
  await still(other);
  assert.deepEqual(await axe(other), []);
  await other.getByRole("button", { name: "Approve and carry out" }).click();
  await page.getByText("go on").waitFor(); // live, in the other browser
  await page.getByText("Carried out", { exact: true }).first().waitFor();
  const log = await read(boss, demo, "/audit?action=approve-action");
  assert.equal(log.total, 1);
  assert.equal(log.items[0].detail.before.requester, (await read(boss, demo, "/session")).username);
});

test("a lockdown shows on every page, forbids, and takes two to lift", async () => {
  await page.goto(`${demo.base}/settings/approvals`);
  await page.getByLabel("Reason").fill("Stolen account.");
  await page.getByRole("button", { name: "Lock down …" }).click();
  await page.getByRole("button", { name: "Yes, lock down now" }).click();
  await other.getByText(/^Lockdown, put on by/).waitFor(); // live, wherever one is
  await still(other);
  assert.deepEqual(await axe(other), []);
  await other.goto(`${demo.base}/devices/${device.id}`);
  await other.getByRole("button", { name: "Check in now" }).and(other.getByTitle("Lockdown: nothing can be done on devices.")).waitFor(); // once the page knows
  const r = await second.request.post(`${demo.base}/api/x/devices/${device.id}/nudge`, { data: {} });
  assert.equal(r.status(), 403);
  assert.equal((await r.json()).detail.startsWith("Lockdown:"), true);
  await page.getByRole("button", { name: "Lift the lockdown (1 of 2)" }).click();
  await page.getByRole("button", { name: "Take my word back" }).waitFor();
  assert.match(demo.verb("lockdown", "status"), /lockdown since .* wants to lift it/s);
  await other.goto(`${demo.base}/settings/approvals`);
  await other.getByRole("button", { name: "Lift the lockdown (2 of 2)" }).click();
  await page.getByRole("button", { name: "Lock down …" }).waitFor();
  await page.getByText(/^Lockdown, put on by/).waitFor({ state: "detached" });
});

test("less protection waits for the other one", async () => {
  await page.goto(`${demo.base}/settings/approvals`);
  await page.getByRole("button", { name: "Every action on all devices" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete it" }).click();
  await page.getByText(/another administrator has to agree/).waitFor();
  await other.goto(`${demo.base}/approvals`);
  await other.getByRole("row", { name: /Change the rules of approval/ }).click();
  await other.getByText("Nothing has to be approved.").waitFor();
  await other.getByRole("button", { name: "Approve and carry out" }).click();
  await page.getByText("No rule").waitFor();
});

test("what takes a device out of a protected group is shown whole, and waits for the other one", async () => {
  const ask = async (method, path, data, status = 200) => {
    const r = await boss.request.fetch(`${demo.base}/api/x${path}`, { method, data });
    assert.equal(r.status(), status, await r.text());
    return status === 204 ? null : r.json();
  };
  const tagged = async () => (await read(boss, demo, `/devices/${device.id}`)).tags.includes("crown");
  await ask("POST", "/tags", { devices: [device.id], add: ["crown"] });
  const group = await ask("POST", "/device-groups", { name: "Crown jewels", rules: [{ conditions: [{ property: "tag", operator: "equals", values: ["crown"] }] }] }, 201);
  await until("the device to be in the group", async () => (await read(boss, demo, `/devices/${device.id}`)).group === "Crown jewels");
  await ask("PUT", "/approval-policy", { rules: [{ all_actions: true, actions: [], all_devices: false, groups: [group.id], hours: 24 }] });
  await ask("POST", "/tags", { devices: [device.id], remove: ["crown"] }, 409);
  assert.equal(await tagged(), true);

  await other.goto(`${demo.base}/approvals`);
  await other.getByRole("row", { name: new RegExp(device.name) }).click();
  const panel = other.getByRole("dialog");
  await panel.getByRole("heading", { name: "Devices that would need no approval any more" }).waitFor();
  assert.equal(await panel.getByRole("link", { name: device.name }).getAttribute("href"), `/devices/${device.id}`);
  await panel.getByRole("table", { name: "What changes" }).getByRole("row", { name: new RegExp(`^${device.name} .*crown`) }).waitFor();
  for (const scheme of ["light", "dark"]) {
    await wear(other, scheme);
    await still(other);
    assert.deepEqual(await axe(other), []);
    await other.screenshot({ path: new URL(`out/approval-leave-${scheme}.png`, import.meta.url).pathname });
  }
  await panel.getByRole("button", { name: "Approve and carry out" }).click();
  await panel.getByText("Carried out", { exact: true }).first().waitFor();
  assert.equal(await tagged(), false);
  assert.deepEqual(other.wrong, []);
});
