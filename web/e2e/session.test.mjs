// Signing in, by the one-time link and by password, and out.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, newContext, newPage, startBrowser, startDemo } from "./harness.mjs";

let demo, browser, context, page;
const password = "correct horse battery staple";

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await newContext(browser);
  page = await newPage(context, { signedOut: true });
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("a page without a session leads to sign-in", async () => {
  await page.goto(`${demo.base}/weaknesses?severity=High`);
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("next"), "/weaknesses?severity=High");
  assert.deepEqual(await axe(page), []);
});

test("a GET of the link consumes nothing; the page redeems it and takes the token out of the address", async () => {
  await (await fetch(demo.link)).text();
  await page.goto(demo.link);
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).hash, "/devices");
  const addresses = await page.evaluate(() => performance.getEntriesByType("navigation").map((e) => e.name));
  assert.ok(addresses.length > 0);
});

test("the link works once", async () => {
  const other = await newContext(browser);
  const p = await newPage(other, { signedOut: true });
  await p.goto(demo.link);
  await p.getByRole("heading", { level: 1, name: "This link does not work" }).waitFor();
  assert.deepEqual(await axe(p), []);
  await other.close();
});

test("a password is set, the way out is taken, and the way in by password", async () => {
  await page.getByRole("link", { name: "Set a password" }).click();
  await page.getByRole("heading", { level: 1, name: "My account" }).waitFor();
  await page.getByLabel(/^New password\s*\*?$/).fill(password);
  await page.getByLabel("New password again").fill(password);
  await page.getByRole("button", { name: "Set password" }).click();
  await page.getByText("The password is set").waitFor();
  await page.getByRole("link", { name: "Set a password" }).waitFor({ state: "detached" });
  const me = await (await context.request.get(`${demo.base}/api/x/session`)).json();
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  assert.equal((await context.request.get(`${demo.base}/api/x/session`)).status(), 401);
  await page.getByLabel("User name").fill(me.username);
  await page.getByLabel("Password").fill("wrong wrong wrong");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByText("User name or password is wrong.").waitFor();
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
});

test("theme and density hold after a reload", async () => {
  await page.goto(`${demo.base}/settings/account`);
  await page.getByRole("radio", { name: "Dark" }).check();
  await page.waitForFunction(() => document.documentElement.style.colorScheme === "dark");
  await page.reload();
  await page.waitForFunction(() => document.documentElement.style.colorScheme === "dark");
  assert.deepEqual(page.wrong, []);
});
