// The page of a product follows its devices without a reload; what is wrong can be reported.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, pkg, read, signIn, startBrowser, startDemo, still, toTab, until, writeRoot } from "./harness.mjs";

let demo, browser, context, page, root;
const id = "debian-_-glibc";
const libc = (version) => pkg("libc6", version, { source: "glibc" });
const write = (version) => writeRoot(root, "soft-host", [libc(version), pkg("curl", "7.88.1-10")]);

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  root = path.join(demo.dir, "root");
  write("2.36-9");
  const { server_url: server } = await read(context, demo, "/onboarding");
  demo.host("soft", demo.token(), server, root);
  await until("glibc with weaknesses", async () => (await read(context, demo, "/software?q=glibc")).items.some((r) => r.id === id && r.weaknesses > 0));
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("the global search opens the page of a product", async () => {
  await page.goto(`${demo.base}/dashboard`);
  await page.getByRole("combobox", { name: /Search devices/ }).fill("glibc");
  await page.getByRole("option", { name: /glibc/ }).first().click();
  await page.getByRole("heading", { level: 1, name: "glibc" }).waitFor();
  assert.equal(decodeURIComponent(new URL(page.url()).pathname), `/software/${id}`);
  await page.getByRole("region", { name: "Vulnerabilities by severity" }).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
});

test("each tab is a link that holds over reload and Back, and its export has its rows", async () => {
  const d = await read(context, demo, `/software/${id}`);
  for (const [tab, name] of [["recommendations", /Security recommendations/], ["vulnerabilities", /Discovered vulnerabilities/], ["devices", /Installed devices/], ["versions", /Version distribution/]]) {
    await page.goto(`${demo.base}/software/${id}`);
    await toTab(page, name);
    await page.waitForURL(new RegExp(`/software/${id}/${tab}$`));
    await page.reload();
    await page.locator("tbody tr").first().waitFor();
    await still(page);
    assert.deepEqual(await axe(page), [], tab);
    const listed = await read(context, demo, `/software/${id}/${tab}`);
    const file = await context.request.get(`${demo.base}/api/x/software/${id}/${tab}/export`);
    assert.equal(csvRows(await file.text()).length, listed.total + 1, tab);
    await page.goBack();
    await page.getByRole("region", { name: "Vulnerabilities by severity" }).waitFor();
  }
  assert.equal((await read(context, demo, `/software/${id}/vulnerabilities?version=2.36-9`)).total, d.weaknesses);
  assert.equal((await read(context, demo, `/software/${id}/devices?version=1.0`)).total, 0);
});

test("an upgrade changes versions and weaknesses on the open page", async () => {
  await page.goto(`${demo.base}/software/${id}/versions`);
  await page.getByRole("link", { name: "2.36-9", exact: true }).click();
  const box = page.getByRole("dialog", { name: "2.36-9" });
  await box.getByRole("tab", { name: "Weaknesses" }).click();
  await box.getByRole("link", { name: "CVE-2023-4911" }).waitFor();
  await page.keyboard.press("Escape");
  await page.evaluate(() => (window.stayed = true));
  const weak = page.getByRole("tab", { name: /Discovered vulnerabilities/ });
  const before = (await weak.innerText()).match(/\d+/)[0];
  write("2.36-9+deb12u3");
  await page.getByRole("link", { name: "2.36-9+deb12u3" }).waitFor({ timeout: 10_000 });
  await page.getByRole("link", { name: "2.36-9", exact: true }).waitFor({ state: "detached" });
  await until("fewer weaknesses in the tab", async () => Number((await weak.innerText()).match(/\d+/)[0]) < Number(before), 10_000);
  await weak.click();
  assert.equal(await page.getByRole("link", { name: "CVE-2023-4911" }).count(), 0);
  assert.equal(await page.evaluate(() => window.stayed), true, "the page was loaded again");
});

test("a weakness has a link of its own, says what has an update and leads to what to do", async () => {
  await page.goto(`${demo.base}/weaknesses/CVE-2023-38545`);
  const box = page.getByRole("dialog", { name: "CVE-2023-38545" });
  await box.getByRole("tab", { name: "Exposed devices" }).click();
  await box.getByRole("link", { name: "soft-host" }).waitFor();
  await box.getByText("Update available", { exact: true }).waitFor();
  await box.getByRole("switch", { name: "Only with an update available" }).click();
  await box.getByRole("link", { name: "soft-host" }).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await box.getByRole("link", { name: "Go to the related security recommendation" }).click();
  await page.getByRole("dialog", { name: "Update curl" }).waitFor();
});

test("an exception about the product is made on its page", async () => {
  await page.goto(`${demo.base}/software/${id}/misconfigurations`);
  await page.getByText("No misconfiguration").waitFor();
  await page.getByRole("button", { name: "Exception options" }).click();
  const form = page.getByRole("dialog", { name: "Exception options" });
  await form.getByRole("button", { name: "Make the exception" }).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await form.getByRole("textbox", { name: "Context" }).fill("isolated host");
  await form.getByRole("button", { name: "Make the exception" }).click();
  const made = await until("the exception", async () => (await read(context, demo, "/exceptions")).items[0]);
  assert.equal(made.product, id);
  await context.request.post(`${demo.base}/api/x/exceptions/${made.id}/cancel`, { data: {}, headers: { Origin: demo.base } });
  await page.keyboard.press("Escape");
  await form.waitFor({ state: "detached" });
});

test("a report is kept with its evidence, can be downloaded and resolved", async () => {
  await page.goto(`${demo.base}/software/${id}`);
  await page.getByRole("button", { name: "Report inaccuracy" }).click();
  const form = page.getByRole("dialog", { name: "Report inaccuracy" });
  await form.getByLabel("What is wrong").selectOption("version-wrong");
  await form.getByRole("textbox", { name: /Details/ }).fill("The host has another version: <b>2.40</b>");
  await still(page);
  assert.deepEqual(await axe(page), []);
  await form.getByRole("button", { name: "Save report" }).click();
  await form.getByRole("link", { name: /Reported inaccuracies/ }).click();
  const row = page.locator("tbody tr").filter({ hasText: "glibc" });
  await row.getByText("Open", { exact: true }).waitFor();
  assert.deepEqual(await axe(page), []);
  const [download] = await Promise.all([page.waitForEvent("download"), row.getByRole("link", { name: /Download report/ }).click()]);
  const file = JSON.parse((await import("node:fs")).readFileSync(await download.path(), "utf8"));
  assert.equal(file.details, "The host has another version: <b>2.40</b>");
  assert.equal(file.evidence.software.id, id);
  assert.ok(!JSON.stringify(file).includes("soft-host"), "a report names no device");
  await row.getByRole("button", { name: /Resolve/ }).click();
  await row.getByText("Resolved", { exact: true }).waitFor();
  assert.deepEqual(page.wrong, []);
});
