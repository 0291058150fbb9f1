// Support ends while the console is open: with the feed that says so, what waited for a
// fix turns into an upgrade on every page, and back into nothing when the device has moved.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, newPage, pkg, read, signIn, startBrowser, startDemo, still, until, writeRoot } from "./harness.mjs";

let demo, browser, context, page, device;
const limit = 10_000; // what Picket promises: a change is on the page within this many ms
const recommendation = "va-_-debian-_-debian_linux_12-_-upgrade";
const root = (name) => path.join(demo.dir, name);

/** Installs a Python package. */
function python(dir, name, version) {
  const at = path.join(dir, `usr/local/lib/python3.11/dist-packages/${name}-${version}.dist-info`);
  mkdirSync(at, { recursive: true });
  writeFileSync(path.join(at, "METADATA"), `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`);
}

/** Loads a file of endoflife.date with the lines "name end" of Debian and Django. */
function lives(debian, django) {
  const product = (name, label, id, lines) => ({ name, label, identifiers: [id], releases: lines.map((l) => ({ name: l.split(" ")[0], isEol: false, eolFrom: l.split(" ")[1], latest: { name: `${l.split(" ")[0]}.9` } })) });
  const result = [
    product("debian", "Debian", { type: "cpe", id: "cpe:2.3:o:debian:debian_linux" }, debian),
    product("django", "Django", { type: "purl", id: "pkg:pypi/django" }, django),
  ];
  const file = path.join(demo.dir, "products.json");
  writeFileSync(file, JSON.stringify({ schema_version: "1.2.0", generated_at: new Date().toISOString(), total: result.length, result }));
  demo.verb("intel", "import", file);
}

before(async () => {
  demo = await startDemo({ agent: false });
  lives(["13 2099-01-01", "12 2098-01-01"], ["5.2 2099-01-01", "3.2 2098-01-01"]);
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const { server_url: server } = await read(context, demo, "/onboarding");
  writeRoot(root("web"), "web-host", [pkg("glibc", "2.36-9"), pkg("tar", "1.34+dfsg-1.2")]);
  python(root("web"), "Django", "3.2.12");
  demo.host("web", demo.token(), server, root("web"));
  device = await until("the device with its software", async () => {
    const d = (await read(context, demo, "/devices")).items[0];
    return d && d.software === 3 && d.weaknesses > 0 && d;
  });
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("the day on which support ends is on the open list, with what it stands for", async () => {
  await page.goto(`${demo.base}/recommendations?type=Update,Upgrade`);
  await page.getByRole("link", { name: /^Update glibc/ }).waitFor();
  assert.equal(await page.getByRole("link", { name: /^Upgrade/ }).count(), 0);
  await page.evaluate(() => (window.stayed = true));
  const start = Date.now();
  lives(["13 2099-01-01", "12 2026-01-31"], ["5.2 2099-01-01", "3.2 2024-04-01"]);
  await page.getByRole("link", { name: "Upgrade Debian 12 to a supported release" }).waitFor({ timeout: limit });
  await page.getByRole("link", { name: "Upgrade django to a supported version" }).waitFor({ timeout: limit });
  console.log(`# feed to page: ${Date.now() - start} ms`);
  assert.equal(await page.evaluate(() => window.stayed), true, "the page was loaded again");
  await still(page);
  assert.deepEqual(await axe(page), []);
});

test("type and tag are filters that the address keeps", async () => {
  await page.goto(`${demo.base}/recommendations?type=Upgrade&tag=EOS%20version`);
  await page.getByRole("link", { name: /^Upgrade Debian 12/ }).waitFor();
  assert.equal(await page.getByRole("link", { name: /^Update/ }).count(), 0);
  const { items } = await read(context, demo, "/recommendations?type=Upgrade&tag=EOS%20version");
  assert.deepEqual(items.map((r) => r.name).sort(), ["Upgrade Debian 12 to a supported release", "Upgrade django to a supported version"]);
});

test("the flyout says since when, where to, and leads to the versions", async () => {
  await page.goto(`${demo.base}/recommendations?open=${encodeURIComponent("va-_-pypi-_-django-_-upgrade")}`);
  const box = page.getByRole("dialog", { name: "Upgrade django to a supported version" });
  await box.getByText("Django 3.2: no support since Apr 1, 2024, on 1 device").waitFor();
  await box.getByText("Move to Django 5.2 (supported until 2099-01-01).").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await box.getByRole("link", { name: "Version distribution" }).click();
  await page.getByRole("row", { name: /3\.2\.12/ }).getByText("EOS version").waitFor();
  await page.goto(`${demo.base}/recommendations?open=${encodeURIComponent(recommendation)}`);
  const os = page.getByRole("dialog", { name: "Upgrade Debian 12 to a supported release" });
  await os.getByText("Debian 12: no support since Jan 31, 2026, on 1 device").waitFor();
  assert.equal(await os.getByRole("link", { name: "Open software page" }).count(), 0, "a release has no software page");
  await os.getByRole("tab", { name: "Exposed devices" }).click();
  await os.getByRole("link", { name: "web-host" }).waitFor();
});

test("the device says the same, and what it closes there", async () => {
  await page.goto(`${demo.base}/devices/${device.id}/recommendations?tag=EOS%20version`);
  await page.getByRole("link", { name: "Upgrade django to a supported version" }).click();
  const box = page.getByRole("dialog", { name: "Upgrade django to a supported version" });
  await box.getByText("No longer supported").waitFor();
  const { items } = await read(context, demo, `/devices/${device.id}/vulnerabilities?recommendation=${encodeURIComponent("va-_-pypi-_-django-_-upgrade")}`);
  await box.getByRole("tab", { name: "Weaknesses" }).click();
  for (const w of items) await box.getByRole("link", { name: w.id }).waitFor();
  assert.equal(items.length, (await read(context, demo, `/recommendations/${encodeURIComponent("va-_-pypi-_-django-_-upgrade")}`)).weaknesses);
  await still(page);
  assert.deepEqual(await axe(page), []);
});

test("it is in the timeline, and in an activity that the device completes", async () => {
  await page.goto(`${demo.base}/events?type=SupportEnded`);
  await page.getByText(/Support of Debian 12 ended/).first().waitFor();
  await page.goto(`${demo.base}/recommendations?open=${encodeURIComponent(recommendation)}`);
  const box = page.getByRole("dialog", { name: "Upgrade Debian 12 to a supported release" });
  await box.getByRole("button", { name: "Request remediation" }).click();
  await page.getByRole("radio", { name: "Upgrade (recommended)" }).waitFor();
  await page.getByRole("button", { name: "Request for 1 device" }).click();
  await page.getByRole("progressbar", { name: "Progress: 1 exposed" }).first().waitFor();
  await page.evaluate(() => (window.stayed = true));
  writeFileSync(path.join(root("web"), "etc/os-release"), 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nVERSION="13 (trixie)"\nVERSION_CODENAME=trixie\nID=debian\n');
  writeFileSync(path.join(root("web"), "var/lib/dpkg/status"), [pkg("glibc", "2.41-12"), pkg("tar", "1.35+dfsg-3.1")].join(""));
  await page.getByText("System confirmation").first().waitFor({ timeout: 2 * limit });
  assert.equal(await page.evaluate(() => window.stayed), true, "the page was loaded again");
  await page.goto(`${demo.base}/recommendations?type=Upgrade`);
  await page.getByRole("link", { name: "Upgrade django to a supported version" }).waitFor();
  assert.equal(await page.getByRole("link", { name: /^Upgrade Debian/ }).count(), 0);
  assert.deepEqual(page.wrong, []);
});
