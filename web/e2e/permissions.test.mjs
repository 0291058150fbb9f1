// Roles, user groups and people: an administrator makes them in the browser;
// somebody else signs in and sees only what the user group sees, at once.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, newContext, newPage, pkg, read, signIn, startBrowser, startDemo, still, until, writeRoot } from "./harness.mjs";

let demo, browser, context, page, person, theirs;

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const { server_url: server } = await read(context, demo, "/onboarding");
  for (const name of ["web", "db"]) {
    const root = path.join(demo.dir, name);
    writeRoot(root, `${name}-host`, [pkg("curl", "7.88.1-10"), pkg(name === "web" ? "apache2" : "expat", "2.4.51-0")]);
    demo.host(name, demo.token(), server, root);
  }
  await until("both devices with their software", async () => {
    const all = (await read(context, demo, "/devices")).items;
    return all.length === 2 && all.every((d) => d.software >= 2 && d.weaknesses > 0);
  });
  for (const name of ["web", "db"]) {
    const r = await context.request.post(`${demo.base}/api/x/device-groups`, { data: { name: `${name} servers`, rules: [{ conditions: [{ property: "name", operator: "starts_with", values: [name] }] }] } });
    assert.equal(r.status(), 201);
  }
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const panel = (name, of = page) => of.getByRole("dialog", { name });
const tab = (name) => page.getByRole("tab", { name }).click();

test("a role, a user group and a person are made", async () => {
  await page.goto(`${demo.base}/settings/permissions`);
  await page.getByRole("heading", { level: 1, name: "Permissions" }).waitFor();
  await page.getByRole("link", { name: "Administrator", exact: true }).waitFor();
  await tab("Roles");
  await page.getByRole("button", { name: "New role" }).click();
  const role = panel("New role");
  await role.getByLabel("Name").fill("Web readers");
  await role.getByLabel(/^View data: vulnerability management/).check();
  assert.equal(await role.getByLabel(/^Manage portal system settings/).isDisabled(), true);
  await still(page);
  assert.deepEqual(await axe(page), []);
  await role.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "Web readers" }).waitFor();
  await page.getByRole("link", { name: "Security operator" }).click();
  await panel("Security operator").getByText("This role is built in and stays as it is.").waitFor();
  await panel("Security operator").getByRole("button", { name: "Close" }).last().click();

  await tab("User groups");
  await page.getByRole("button", { name: "New user group" }).click();
  const group = panel("New user group");
  await group.getByLabel("Name").fill("Web team");
  await group.getByLabel(/^Web readers/).check();
  await group.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "Web team" }).waitFor();

  await tab("People");
  await page.getByRole("button", { name: "New person" }).click();
  const fresh = panel("New person");
  await fresh.getByLabel("User name").fill("ann");
  await fresh.getByLabel("Shown as").fill("Ann Example");
  await fresh.getByLabel(/^Web team/).check();
  await fresh.getByRole("button", { name: "Create" }).click();
  const shown = panel("Sign-in link of Ann Example");
  const link = await shown.getByText(/\/welcome#/).innerText();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await shown.getByRole("button", { name: "I passed it on" }).click();
  await page.getByRole("row", { name: /Ann Example/ }).getByText("Invited").waitFor();
  assert.deepEqual(await axe(page), []);

  await page.goto(`${demo.base}/settings/device-groups`);
  for (const name of ["db servers", "Ungrouped devices"]) {
    await page.getByRole("row", { name: new RegExp(name) }).getByRole("link", { name: "Everybody" }).click();
    const access = panel(`Who sees ${name}`);
    await access.getByLabel(/^Administrators/).check();
    await access.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: new RegExp(name) }).getByRole("link", { name: "Administrators" }).waitFor();
  }
  theirs = await newContext(browser);
  person = await newPage(theirs, { signedOut: true });
  await person.goto(link.trim());
  await person.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
});

test("the person sees the devices of the group, and nothing else anywhere", async () => {
  await person.getByRole("link", { name: "web-host" }).waitFor();
  assert.equal(await person.getByText("db-host").count(), 0);
  assert.deepEqual(await person.getByRole("list", { name: "Settings" }).getByRole("link").allInnerTexts(), ["My account"]);
  assert.deepEqual((await read(theirs, demo, "/devices")).items.map((d) => d.name), ["web-host"]);
  assert.deepEqual((await read(theirs, demo, "/device-groups")).map((g) => g.name), ["web servers"]);
  assert.equal((await read(theirs, demo, "/status")).devices, 1);
  assert.equal((await read(theirs, demo, "/exposure-score")).devices, 1);
  const [hidden] = (await read(context, demo, "/devices?q=db-host")).items;
  for (const at of [`/devices/${hidden.id}`, `/devices/${hidden.id}/software`, "/devices/db-host"]) {
    assert.equal((await theirs.request.get(`${demo.base}/api/x${at}`)).status(), 404, at);
  }
  for (const at of ["/people", "/roles", "/audit", "/tokens"]) assert.equal((await theirs.request.get(`${demo.base}/api/x${at}`)).status(), 403, at);
  for (const at of ["/dashboard", "/recommendations", "/software", "/weaknesses", "/events", "/remediation"]) {
    await person.goto(`${demo.base}${at}`);
    await person.getByRole("heading", { level: 1 }).waitFor();
    await until(`${at} has no busy list`, async () => (await person.getByText("Reading …").count()) === 0);
    assert.equal(await person.getByText("db-host").count(), 0, at);
    assert.equal(await person.getByText("expat").count(), 0, at);
  }
});

test("what the administrator changes, the open list follows", async () => {
  await person.goto(`${demo.base}/devices`);
  await person.getByRole("link", { name: "web-host" }).waitFor();
  await page.goto(`${demo.base}/settings/device-groups`);
  await page.getByRole("row", { name: /db servers/ }).getByRole("link", { name: "Administrators" }).click();
  const access = panel("Who sees db servers");
  await access.getByLabel(/^Web team/).check();
  await access.getByRole("button", { name: "Save" }).click();
  await person.getByRole("link", { name: "db-host" }).waitFor();
  await page.getByRole("row", { name: /web servers/ }).getByRole("link", { name: "Everybody" }).click();
  const web = panel("Who sees web servers");
  await web.getByLabel(/^Administrators/).check();
  await web.getByRole("button", { name: "Save" }).click();
  await person.getByRole("link", { name: "web-host" }).waitFor({ state: "detached" });
  await person.getByRole("link", { name: "db-host" }).waitFor();
});

test("the last administrator stays, and a disabled person is out", async () => {
  await page.goto(`${demo.base}/settings/permissions`);
  await page.getByRole("link", { name: "Administrator", exact: true }).click();
  const own = panel("Administrator");
  await own.getByRole("button", { name: "Delete" }).click();
  await own.getByRole("button", { name: "Delete it" }).click();
  await own.getByText(/nobody would be an administrator any more/).waitFor();
  page.wrong = page.wrong.filter((w) => !w.includes("status of 409"));
  await own.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("link", { name: "Ann Example" }).click();
  const ann = panel("Ann Example");
  await ann.getByLabel("May sign in").uncheck();
  await ann.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: /Ann Example/ }).getByText("Disabled").waitFor();
  assert.equal((await theirs.request.get(`${demo.base}/api/x/devices`)).status(), 401);
});
