// Lists: the URL is the state, exports hold exactly what is filtered, the
// keyboard is enough. The host is a root file system that nobody changes, so a
// list has the same rows from the first test to the last.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { csvRows, newPage, pkg, read, settled, signIn, startBrowser, startDemo, until, writeRoot } from "./harness.mjs";

let demo, browser, context, device, page;

// More products than a page has rows, some with weaknesses of several severities, some of another vendor.
const packages = [
  ...["glibc 2.36-9", "curl 7.88.1-10", "openssl 3.0.9-1", "expat 2.5.0-1", "krb5 1.20.1-2", "openssh 1:9.2p1-2", "zlib 1:1.2.13.dfsg-1", "tar 1.34+dfsg-1.2", "perl 5.36.0-7", "ncurses 6.4-4"].map((p) => pkg(...p.split(" "))),
  ...Array.from({ length: 60 }, (_, i) => pkg(`lib${i < 4 ? "ssl" : "item"}${i}`, `1.${i}-1`, { maintainer: i % 2 ? "Odd <odd@example.org>" : "Even <even@example.org>" })),
];

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const root = path.join(demo.dir, "root");
  writeRoot(root, "still-host", packages);
  demo.host("still", demo.token(), (await read(context, demo, "/onboarding")).server_url, root);
  device = await settled(context, demo);
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const items = async () => Number((await page.getByText(/^[\d,]+ items?$/).innerText()).replace(/\D/g, ""));
const rows = () => page.locator("tbody tr");
const vulns = () => `/devices/${device.id}/vulnerabilities`;
const query = () => new URL(page.url()).searchParams;

/** How many rows the API has for a list. */
const total = async (list) => (await read(context, demo, list)).total;

/** Waits until the page counts as many rows as the API has for a list. */
const agrees = (what, list) => until(what, async () => (await page.getByText(/^[\d,]+ items?$/).count()) === 1 && (await items()) === (await total(list)));

async function open(address) {
  await page.goto(demo.base + address);
  await page.getByText(/^[\d,]+ items?$/).waitFor();
}

test("exposed holds by default, as a pill that can go and come back", async () => {
  await open(vulns());
  const pill = page.getByRole("list", { name: "Filters that hold" }).getByText("Counts in exposure");
  await pill.waitFor();
  await agrees("what counts", `${vulns()}?exposed=true`);
  assert.ok((await total(vulns())) > (await total(`${vulns()}?exposed=true`)), "nothing here is left out of exposure");
  assert.equal(query().size, 0);
  await page.getByRole("button", { name: "Remove filter Counts in exposure" }).click();
  await pill.waitFor({ state: "detached" });
  assert.equal(query().get("exposed"), "any");
  await agrees("all of them without the filter", vulns());
  await page.goBack();
  await pill.waitFor();
  await agrees("what counts, after Back", `${vulns()}?exposed=true`);
});

test("a filter goes to the URL, survives a reload, and Back takes it away", async () => {
  await open(vulns());
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  const panel = page.getByRole("dialog", { name: "Filter" });
  await panel.getByRole("checkbox", { name: "High", exact: true }).check();
  await panel.getByRole("button", { name: "Apply" }).click();
  await until("the filter in the URL", () => query().get("severity") === "High");
  await agrees("filtered rows", `${vulns()}?exposed=true&severity=High`);
  const words = await page.locator("tbody td:nth-child(2)").allInnerTexts();
  assert.ok(words.length > 0 && words.every((w) => w.trim() === "High"), words.join());
  await page.reload();
  await agrees("the same rows after a reload", `${vulns()}?exposed=true&severity=High`);
  await page.goBack();
  await until("no filter in the URL after Back", () => query().get("severity") === null);
  await agrees("all rows after Back", `${vulns()}?exposed=true`);
});

test("search, order by two columns, page size and pages are in the URL", async () => {
  const software = `/devices/${device.id}/software`;
  await open(software);
  await agrees("all products", software);
  await page.getByRole("button", { name: /^Name/ }).click();
  await until("order by name", () => query().get("sort") === "name");
  await page.getByRole("button", { name: /^Vendor/ }).click({ modifiers: ["Shift"] });
  await until("order by name, then vendor", () => query().get("sort") === "name,vendor");
  assert.equal(await page.getByRole("columnheader", { name: /^Vendor/ }).getAttribute("aria-sort"), "ascending");
  const first = await rows().first().innerText();
  await page.getByRole("button", { name: "Next page" }).click();
  await until("page 2", async () => query().get("page") === "2" && (await rows().first().innerText()) !== first);
  await page.getByRole("searchbox", { name: "Search software" }).fill("ssl");
  await until("the search in the URL, on page 1", () => query().get("q") === "ssl" && query().get("page") === null);
  await agrees("matching rows", `${software}?q=ssl`);
  assert.equal(await total(`${software}?q=ssl`), 5);
  await page.getByRole("searchbox", { name: "Search software" }).fill("");
  await until("no search in the URL", () => query().get("q") === null);
  await agrees("all rows", software);
  await page.getByRole("combobox", { name: "Rows per page" }).selectOption("50");
  await until("50 rows", async () => (await rows().count()) === 50);
  await page.getByRole("combobox", { name: "Rows per page" }).selectOption("30");
  await until("30 rows", async () => (await rows().count()) === 30);
});

test("an export has exactly the filtered items", async () => {
  for (const [address, name] of [[`${vulns()}?severity=High,Medium`, "vulnerabilities"], [`/devices/${device.id}/software?q=lib&vulnerable=true`, "software"], ["/weaknesses", "weaknesses"], ["/software?q=lib", "products"], ["/devices", "devices"]]) {
    await open(address);
    const n = await items();
    for (const [format, count] of [["CSV", (t) => csvRows(t).length - 1], ["JSON Lines", (t) => t.split("\n").filter((l) => l !== "" && JSON.parse(l)).length]]) {
      await page.getByRole("button", { name: "Export" }).click();
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: new RegExp(`^${format}`) }).click()]);
      const text = readFileSync(await download.path(), "utf8");
      assert.equal(count(text), n, `${name} as ${format}: ${text.slice(0, 200)}`);
    }
  }
});

test("columns are chosen and stay chosen", async () => {
  await open(vulns());
  assert.equal(await page.getByRole("columnheader", { name: "EPSS" }).count(), 0);
  await page.getByRole("button", { name: "Customize columns" }).click();
  const panel = page.getByRole("dialog", { name: "Customize columns" });
  await panel.getByRole("checkbox", { name: "EPSS" }).check();
  await page.getByRole("columnheader", { name: "EPSS" }).waitFor();
  const saved = async () => (await read(context, demo, "/me/prefs")).columns?.["device-vulns"]?.includes("epss");
  await until("the choice on the server", saved);
  await page.reload();
  await page.getByRole("columnheader", { name: "EPSS" }).waitFor();
  await page.getByRole("button", { name: "Customize columns" }).click();
  await page.getByRole("button", { name: "Reset to default" }).click();
  await page.getByRole("columnheader", { name: "EPSS" }).waitFor({ state: "detached" });
  await open(vulns()); // at once: leaving the page loses no choice
  assert.equal(await page.getByRole("columnheader", { name: "EPSS" }).count(), 0);
  await until("the choice on the server", async () => !(await saved()));
});

test("the keyboard walks rows, opens and closes the flyout; Back closes it too", async () => {
  await open(vulns());
  await rows().nth(2).waitFor();
  const ids = await page.locator("tbody tr").evaluateAll((l) => l.map((r) => r.dataset.key));
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("o");
  await until("the first row is open", () => query().get("open") === ids[0]);
  await page.getByRole("dialog", { name: ids[0] }).waitFor();
  await page.keyboard.press("j");
  await until("the second row is open", () => query().get("open") === ids[1]);
  await page.getByRole("dialog", { name: ids[1] }).waitFor();
  await page.keyboard.press("Escape");
  await until("no row is open", () => query().get("open") === null);
  await rows().nth(2).getByRole("link").first().click();
  await page.getByRole("dialog", { name: ids[2] }).waitFor();
  await page.goBack();
  await page.getByRole("dialog", { name: ids[2] }).waitFor({ state: "detached" });
});

test("the columns are those that the product names", async () => {
  const names = () => page.getByRole("columnheader").allInnerTexts().then((l) => l.map((t) => t.split("\n")[0].trim()));
  await open(`/devices/${device.id}/software`);
  assert.deepEqual(await names(), ["Name", "Vendor", "Installed version", "Weaknesses", "Threats", "Product code", "Tags"]);
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.getByRole("dialog", { name: "Filter" }).getByRole("checkbox", { name: "Package URL" }).check();
  await page.getByRole("button", { name: "Apply" }).click();
  await until("the product code in the URL", () => query().get("code") === "purl");
  await agrees("software without a CPE name", `/devices/${device.id}/software?code=purl`);
  await open(vulns());
  assert.deepEqual(await names(), ["Name", "Severity", "CVSS", "Related software", "Published on", "Updated on", "Threats"]);
});

test("the flyouts say where, when and what to do, and lead to the next row", async () => {
  await open(`/devices/${device.id}/software?open=debian-_-glibc`);
  const product = page.getByRole("dialog", { name: "glibc" });
  for (const fact of ["Debian", "2.36-9", "Last found", "pkg:deb/debian/glibc", "/var/lib/dpkg/status"]) await product.getByText(fact).first().waitFor();
  await open(`${vulns()}?open=CVE-2023-4911`);
  const weakness = page.getByRole("dialog", { name: "CVE-2023-4911" });
  const here = weakness.getByRole("region", { name: "On this device" });
  for (const fact of ["glibc", "2.36-9", "2.36-9+deb12u3", "Fix available"]) await here.getByText(fact, { exact: true }).waitFor();
  await weakness.getByText("CVSS 3.1 (Demo intelligence)").waitFor();
  const ids = await page.locator("tbody tr[data-key]").evaluateAll((l) => l.map((r) => r.dataset.key));
  const at = ids.indexOf("CVE-2023-4911");
  await page.getByRole("button", { name: "Next item (j)" }).click();
  await until("the next row is open", () => query().get("open") === ids[at + 1]);
  await page.getByRole("dialog", { name: ids[at + 1] }).waitFor();
  await page.getByRole("button", { name: "Previous item (k)" }).click();
  await weakness.waitFor();
  await page.keyboard.press("Escape");
});

test("a section of the sidebar folds by the keyboard and stays folded", async () => {
  await open(vulns());
  const details = page.getByRole("button", { name: "Device details", exact: true });
  await details.waitFor();
  assert.equal(await details.getAttribute("aria-expanded"), "true");
  await details.focus();
  await page.keyboard.press("Enter");
  await page.getByText("Agent version").waitFor({ state: "detached" });
  await until("the choice on the server", async () => (await read(context, demo, "/me/prefs")).folded?.includes("details"));
  await page.reload();
  await details.waitFor();
  assert.equal(await details.getAttribute("aria-expanded"), "false");
  await details.click();
  await page.getByText("Agent version").waitFor();
});

test("what the list does not understand is named, and nothing breaks", async () => {
  await open(`${vulns()}?severity=High,Awful&sort=-height&page=zero&evil=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E`);
  const note = await page.getByText(/not understood/).innerText();
  for (const part of ["severity=Awful", "sort=-height", "page=zero", "evil=<img"]) assert.ok(note.includes(part), note);
});

test("the whole name of what is cut off is its title", async () => {
  await page.setViewportSize({ width: 1100, height: 800 });
  await open(`/devices/${device.id}/software?q=zlib`);
  const long = page.locator("tbody td").filter({ hasText: "pkg:deb/" }).first();
  const code = (await long.innerText()).trim();
  await page.evaluate(() => document.querySelectorAll("tbody [title]").forEach((e) => e.removeAttribute("title"))); // that of the cell is meant
  await long.hover();
  assert.equal(await long.getAttribute("title"), code);
  const short = page.locator("tbody td").filter({ hasText: /^zlib$/ }).first();
  await short.hover();
  assert.equal(await short.getAttribute("title"), null, "a name that is not cut has a title");
  await page.setViewportSize({ width: 1440, height: 900 });
});

test("devices are found by the version of their system and by how long it is supported", async () => {
  await open("/devices");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  const panel = page.getByRole("dialog", { name: "Filter" });
  await panel.getByRole("group", { name: "OS version" }).getByRole("checkbox", { name: "12 (Debian)" }).check();
  await panel.getByRole("group", { name: "Support of the OS version" }).getByRole("checkbox", { name: "Ended" }).check();
  await panel.getByRole("button", { name: "Apply" }).click();
  await page.getByText("Nothing matches").waitFor();
  assert.equal(`${query().get("os_version")} ${query().get("os_life")}`, "12 ended");
  await page.goto(`${demo.base}/devices?os_version=12`);
  await agrees("devices of the version", "/devices?os_version=12");
  assert.equal(await items(), 1);
});

test("the search on top finds devices, software and weaknesses", async () => {
  await open("/weaknesses");
  const id = await rows().first().getAttribute("data-key");
  await page.keyboard.press("/");
  await page.keyboard.type(id);
  await page.getByRole("option", { name: new RegExp(id) }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: id }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type(device.name);
  await page.getByRole("option", { name: new RegExp(`${device.name}.*Device`, "s") }).first().click();
  await page.getByRole("heading", { level: 1, name: device.name }).waitFor();
});

test("nothing went wrong on the way", () => {
  assert.deepEqual(page.wrong, []);
});
