// A reader: what changes something is disabled and says why, or is not there,
// on every page; and an administrator's same page has it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, newContext, newPage, read, signIn, startBrowser, startDemo, still, until } from "./harness.mjs";

let demo, browser, boss, admin, theirs, reader, device, recommendation;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  boss = await signIn(browser, demo);
  admin = await newPage(boss);
  const roles = await read(boss, demo, "/roles");
  const made = await boss.request.post(`${demo.base}/api/x/user-groups`, { data: { name: "readers", roles: [roles.find((r) => r.name === "Security reader").id] } });
  assert.equal(made.status(), 201);
  const person = await boss.request.post(`${demo.base}/api/x/people`, { data: { name: "rob", user_groups: [(await made.json()).id] } });
  theirs = await newContext(browser);
  reader = await newPage(theirs, { signedOut: true });
  await reader.goto(`${demo.base}/welcome#${(await person.json()).secret}`);
  await reader.waitForURL(/devices|account/);
  device = await until("the agent's inventory", async () => (await read(boss, demo, "/devices")).items.find((d) => d.connected && d.weaknesses > 0));
  recommendation = (await until("a recommendation", async () => (await read(boss, demo, "/recommendations")).items[0])).id;
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** The button is there for both; only the administrator's works, and the reader's says why. */
async function only(path, name) {
  for (const [page, may] of [[admin, true], [reader, false]]) {
    await page.goto(`${demo.base}${path}`);
    const button = page.getByRole("button", { name, exact: true }).first();
    await button.waitFor();
    await still(page);
    assert.equal((await button.getAttribute("aria-disabled")) === "true", !may, `${name} on ${path}`);
    if (!may) assert.match(await button.getAttribute("title"), /^Your roles do not allow this: it takes “/);
  }
}

test("what changes something is disabled for a reader, with the reason", async () => {
  await only("/devices", "Import SBOM");
  await only(`/devices/${device.id}`, "Check in now");
  await only(`/recommendations?open=${encodeURIComponent(recommendation)}`, "Request remediation");
  await only(`/recommendations?open=${encodeURIComponent(recommendation)}`, "Exception options");
  assert.deepEqual(await axe(reader), []);
});

test("a reader reports what it reads as inaccurate, and is told who sees that", async () => {
  await reader.goto(`${demo.base}/recommendations?open=${encodeURIComponent(recommendation)}`);
  await reader.getByRole("button", { name: "Report inaccuracy" }).click();
  const form = reader.getByRole("dialog", { name: "Report inaccuracy" });
  await form.getByRole("textbox", { name: "Details" }).fill("It is done already");
  await form.getByRole("button", { name: "Save report" }).click();
  await form.getByText(/those who manage security settings see it/).waitFor();
  assert.equal(await form.getByRole("link").count(), 0);
  await form.getByRole("button", { name: "Close" }).last().click();
});

test("a click on it does nothing", async () => {
  const button = reader.getByRole("button", { name: "Request remediation", exact: true });
  await button.click({ force: true });
  await reader.keyboard.press("Enter");
  await still(reader);
  assert.equal(await reader.getByRole("dialog", { name: "Request remediation", exact: true }).count(), 0);
});

test("what is no button is text", async () => {
  await reader.goto(`${demo.base}/devices/${device.id}`);
  await reader.getByRole("complementary", { name: "Device facts" }).getByText("Device group").waitFor();
  assert.equal(await reader.getByLabel("Add a tag").count(), 0);
  assert.equal(await reader.getByRole("button", { name: /^Device value/ }).count(), 0);
  await admin.goto(`${demo.base}/devices/${device.id}`);
  await admin.getByLabel("Add a tag").waitFor();
  await admin.getByRole("button", { name: /^Device value/ }).waitFor();
});

test("an administrator resets the second factors of somebody", async () => {
  await admin.goto(`${demo.base}/settings/permissions`);
  await admin.getByRole("link", { name: "rob", exact: true }).click();
  const panel = admin.getByRole("dialog", { name: "rob" });
  await panel.getByRole("button", { name: "Reset second factors" }).click();
  await still(admin);
  assert.deepEqual(await axe(admin), []);
  await panel.getByRole("button", { name: "Yes, reset them" }).click();
  await panel.getByText("The second factors are gone").waitFor();
  await until("the session to end", async () => (await theirs.request.get(`${demo.base}/api/x/session`)).status() === 401);
});
