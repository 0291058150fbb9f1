// From a token in the console to findings on a page that nobody reloads; and
// what a hostile host says stays text.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, newPage, pkg, read, signIn, startBrowser, startDemo, toTab, writeRoot } from "./harness.mjs";

let demo, browser, context, page, root, device;
const limit = 10_000; // what Picket promises, not patience: a change is on the page within this many ms
const evil = `<img src=x onerror="alert('picket')"><script>alert(1)</script>`;

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  page = await newPage(context);
  root = path.join(demo.dir, "root");
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const glibc = (version) => pkg("libc6", version, { source: "glibc" });
const curl = pkg("curl", "7.88.1-10");
const poison = pkg("poison", "1.0-1", { summary: evil, maintainer: `${evil} <a@example.org>` });

test("without devices the list says why and what to do", async () => {
  await page.goto(`${demo.base}/devices`);
  await page.getByText("No device is enrolled yet").waitFor();
  assert.deepEqual(await axe(page), []);
});

test("a token is created, shown once and filled into the command; the device comes in without a reload", async () => {
  await page.getByRole("link", { name: "Onboard a device" }).click();
  await page.getByLabel("Note").fill("e2e");
  await page.getByRole("button", { name: "Create token" }).click();
  const shown = page.getByRole("group", { name: "token", exact: true });
  await shown.waitFor();
  const token = await shown.innerText();
  assert.ok((await page.getByRole("group", { name: "install command" }).innerText()).includes(token));
  assert.deepEqual(await axe(page), []);
  const { server_url: server } = await read(context, demo, "/onboarding");
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await page.getByText("No device is enrolled yet").waitFor();
  await page.evaluate(() => (window.stayed = true));
  writeRoot(root, "e2e-host", [glibc("2.36-9"), curl, poison]);
  demo.host("e2e", token, server, root);
  await page.getByRole("link", { name: "e2e-host" }).waitFor();
  device = (await read(context, demo, "/devices")).items[0];
});

test("the findings are there, with their evidence", async () => {
  await page.getByRole("link", { name: "e2e-host" }).click();
  await toTab(page, /Discovered vulnerabilities/);
  await page.getByRole("link", { name: "CVE-2023-4911" }).click();
  await page.getByRole("tab", { name: "Detection logic" }).click();
  const box = page.getByRole("dialog", { name: "CVE-2023-4911" });
  await box.getByText("2.36-9+deb12u3").first().waitFor();
  await box.getByText("DSA-5514-1").first().waitFor();
  await box.getByText("libc6 (amd64)").waitFor();
  await page.keyboard.press("Escape");
});

test("an upgrade closes the finding on the open page, with the reason", async () => {
  const row = page.getByRole("link", { name: "CVE-2023-4911" });
  await row.waitFor();
  const start = Date.now();
  writeRoot(root, "e2e-host", [glibc("2.36-9+deb12u3"), curl, poison]);
  await row.waitFor({ state: "detached", timeout: limit });
  console.log(`# upgrade to page: ${Date.now() - start} ms`);
  await page.getByRole("tab", { name: "Overview" }).click();
  const card = page.getByRole("region", { name: "Recently closed findings" });
  await card.getByText("CVE-2023-4911").waitFor();
  await card.getByText("Upgraded").first().waitFor();
});

test("a removal closes findings too, and a downgrade opens them again", async () => {
  await toTab(page, /Discovered vulnerabilities/);
  const gone = page.getByRole("link", { name: "CVE-2023-38545" });
  await gone.waitFor();
  writeRoot(root, "e2e-host", [glibc("2.36-9+deb12u3"), poison]);
  await gone.waitFor({ state: "detached", timeout: limit });
  writeRoot(root, "e2e-host", [glibc("2.36-9"), poison]);
  await page.getByRole("link", { name: "CVE-2023-4911" }).waitFor({ timeout: limit });
  assert.equal(await page.evaluate(() => window.stayed), true, "the page was loaded again");
});

test("what a hostile host says is shown as text and runs nowhere", async () => {
  await page.goto(`${demo.base}/devices/${device.id}/software`);
  await page.getByRole("link", { name: "poison" }).click();
  const box = page.getByRole("dialog", { name: "poison" });
  await box.getByText("onerror=", { exact: false }).first().waitFor();
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.deepEqual(page.wrong, []);
});

/** Loads a file of endoflife.date in which Debian 12 ends in so many days. */
function loadSupport(days) {
  const file = path.join(demo.dir, `support${days}.json`);
  const date = (n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
  const release = { name: "12", codename: "Bookworm", isEol: false, eolFrom: date(days), latest: { name: "12.13" } };
  writeFileSync(file, JSON.stringify({ schema_version: "1.2.0", generated_at: new Date().toISOString(), total: 1, result: [{ name: "debian", label: "Debian", identifiers: [], releases: [{ name: "13", isEol: false }, release] }] }));
  demo.verb("intel", "import", file);
}

test("the end of the system's support shows as soon as a feed knows it, before and after the day", async () => {
  await page.goto(`${demo.base}/devices/${device.id}`);
  const card = page.getByRole("region", { name: "Operating system" });
  const side = page.getByRole("complementary", { name: "Device facts" });
  await card.getByText("Regular support until").waitFor(); // the demo knows of LTS, the file below does not
  loadSupport(1000);
  await card.getByText("Supported until").waitFor();
  await side.getByText("End of support").waitFor();
  assert.equal(await page.getByText("EOS version").count(), 0);
  loadSupport(100);
  await page.getByText("Debian 12 reaches its end of support soon").waitFor();
  assert.equal(await page.getByText("Upcoming EOS version").count(), 3, "in the head, the sidebar and the card");
  assert.deepEqual(await axe(page), []);
  loadSupport(-100);
  await page.getByText("Debian 12 has reached its end of support").waitFor();
  await card.getByText("No support since").waitFor();
  assert.equal(await page.getByText("EOS version", { exact: true }).count(), 3);
  assert.deepEqual(await axe(page), []);
  await toTab(page, /Discovered vulnerabilities/);
  await page.getByRole("heading", { level: 1, name: "e2e-host" }).locator("..").getByText("EOS version").waitFor();
  assert.deepEqual(page.wrong, []);
});
