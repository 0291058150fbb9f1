// Zero days, software evidence, product codes, exclusion of devices, and rows of tabs:
// each by making it so on a host or in a feed, while the page is open.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, pkg, read, signIn, startBrowser, startDemo, still, until, wear, writeRoot } from "./harness.mjs";

let demo, browser, context, page, web, db;
const limit = 10_000; // what Picket promises: a change is on the page within this many ms
const root = (name) => path.join(demo.dir, name);

/** Loads a file of a feed. */
function load(name, content) {
  const file = path.join(demo.dir, name);
  writeFileSync(file, JSON.stringify(content));
  demo.verb("intel", "import", "--force", file);
}

/** What Debian says of expat; with a version, that it fixes the weakness. */
const tracker = (fixed) =>
  load("tracker.json", { expat: { "CVE-2026-90001": { releases: { bookworm: { status: fixed ? "resolved" : "open", urgency: "not yet assigned", repositories: {}, ...(fixed ? { fixed_version: fixed } : {}) } } } },
    zlib: { "CVE-2026-90002": { releases: { bookworm: { status: "resolved", urgency: "not yet assigned", repositories: {}, fixed_version: "1:1.2.13.dfsg-2" } } } } });

/** What CISA says is exploited. */
const kev = (...cves) =>
  load("kev.json", { title: "CISA Catalog of Known Exploited Vulnerabilities", catalogVersion: new Date().toISOString().slice(0, 10).replaceAll("-", "."), dateReleased: new Date().toISOString(), count: cves.length,
    vulnerabilities: cves.map((cveID) => ({ cveID, vendorProject: "Expat", product: "expat", vulnerabilityName: "Expat", dateAdded: "2026-11-01", shortDescription: "It is exploited.", requiredAction: "Update.", dueDate: "2026-12-01", knownRansomwareCampaignUse: "Unknown", notes: "", cwes: [] })) });

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const { server_url: server } = await read(context, demo, "/onboarding");
  tracker();
  for (const name of ["web", "db"]) {
    writeRoot(root(name), `${name}-host`, [pkg("expat", "2.5.0-1"), pkg("zlib", "1:1.2.13.dfsg-1")]);
    const at = path.join(root(name), "usr/local/lib/python3.11/dist-packages/Django-3.2.12.dist-info");
    mkdirSync(at, { recursive: true });
    writeFileSync(path.join(at, "METADATA"), "Metadata-Version: 2.1\nName: Django\nVersion: 3.2.12\n");
    demo.host(name, demo.token(), server, root(name));
  }
  const items = await until("both devices with their software", async () => {
    const d = (await read(context, demo, "/devices?sort=name")).items;
    return d.length === 2 && d.every((x) => x.software === 3 && x.weaknesses > 1) && d;
  });
  [db, web] = items;
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Looks at the page in both schemes. */
async function clean(what) {
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    assert.deepEqual(await axe(page), [], `${what}, ${scheme}`);
    if (process.env.PICKET_SHOTS) await page.screenshot({ path: path.join(process.env.PICKET_SHOTS, `${what.replaceAll(/\W+/g, "-")}-${scheme}.png`) });
  }
}

test("what is exploited without a fix becomes a zero day on the open dashboard", async () => {
  await page.goto(`${demo.base}/dashboard`);
  const todo = page.getByRole("region", { name: "Top security recommendations" });
  await todo.getByRole("link", { name: "Attention required: expat" }).waitFor();
  assert.equal(await page.getByText("Zero day", { exact: true }).count(), 0);
  await page.evaluate(() => (window.stayed = true));
  kev("CVE-2026-90001");
  await todo.getByText("Zero day", { exact: true }).waitFor({ timeout: limit });
  await page.getByRole("region", { name: "Top vulnerable software" }).getByText("Zero day", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => window.stayed), true, "the page was loaded again");
  await clean("zero day on the dashboard");
});

test("zero days are a filter of recommendations, software and weaknesses", async () => {
  for (const [where, name] of [["/recommendations", "Attention required: expat"], ["/software", "expat"], ["/weaknesses", "CVE-2026-90001"]]) {
    await page.goto(`${demo.base}${where}?tag=Zero%20day`);
    await page.getByRole("link", { name, exact: true }).waitFor();
    await page.getByText("1 item", { exact: true }).waitFor();
    await clean(`zero days of ${where}`);
  }
  await page.goto(`${demo.base}/software/debian-_-expat`);
  await page.getByText("Zero day", { exact: true }).first().waitFor();
});

test("the fix ends the zero day everywhere and says that it is one for it", async () => {
  await page.goto(`${demo.base}/recommendations?type=Update`);
  await page.getByRole("link", { name: "Update zlib" }).waitFor();
  tracker("2.5.0-1+deb12u1");
  const row = page.getByRole("row", { name: /Update expat/ });
  await row.getByTitle("New security update for zero day").or(row.getByText("New security update for zero day")).first().waitFor({ timeout: 2 * limit });
  for (const where of ["/recommendations", "/software", "/weaknesses"]) assert.equal((await read(context, demo, `${where}?tag=Zero%20day`)).total, 0, where);
});

test("the evidence of software is its path and when it was last found", async () => {
  await page.goto(`${demo.base}/devices/${web.id}/software?open=pypi-_-django`);
  const box = page.getByRole("dialog", { name: "django" });
  await box.getByText("/usr/local/lib/python3.11/dist-packages/Django-3.2.12.dist-info").first().waitFor();
  await box.getByText("Last found").waitFor();
  const { last_found: at } = await read(context, demo, `/devices/${web.id}/software/pypi-_-django`);
  assert.ok(Date.now() - Date.parse(at) < 3_600_000, at);
  await clean("software evidence");
});

test("the inventory shows what has a product code, until that filter is taken away", async () => {
  await page.goto(`${demo.base}/software`);
  await page.getByRole("list", { name: "Filters that hold" }).getByRole("button", { name: "Available", exact: true }).waitFor();
  const all = (await read(context, demo, "/software")).total;
  const coded = (await read(context, demo, "/software?code=available")).total;
  const none = (await read(context, demo, "/software?code=none")).total;
  assert.equal(coded + none, all);
  await page.getByText(`${coded} items`, { exact: true }).waitFor();
  assert.equal(csvRows(await (await context.request.get(`${demo.base}/api/x/software/export?code=available`)).text()).length, coded + 1);
  await page.getByRole("button", { name: "Remove filter Product code" }).click();
  await page.waitForURL(/code=any/);
  await page.getByText(`${all} items`, { exact: true }).waitFor();
  await page.goto(`${demo.base}/dashboard`);
  assert.match(await page.getByRole("region", { name: "Top vulnerable software" }).getByRole("link", { name: "Show more" }).getAttribute("href"), /code=any/);
  await page.goto(`${demo.base}/devices/${web.id}/software?code=none`);
  await page.getByText("Nothing matches").or(page.getByRole("table")).first().waitFor();
  assert.equal(await page.getByText("are not understood").count(), 0);
});

test("tabs are one row at every width, with the others in a menu, by keyboard too", async () => {
  for (const [where, size] of [[`/devices/${web.id}`, { width: 1440, height: 900 }], ["/software/debian-_-expat", { width: 1440, height: 900 }], [`/devices/${web.id}`, { width: 1100, height: 800 }], ["/recommendations?open=va-_-debian-_-expat", { width: 1440, height: 900 }]]) {
    await page.setViewportSize(size);
    await page.goto(`${demo.base}${where}`);
    const strip = page.getByRole("tablist").last();
    await strip.waitFor();
    await still(page);
    const seen = await strip.evaluate((e) => [...e.querySelectorAll("[role=tab]")].filter((t) => getComputedStyle(t).visibility !== "hidden").map((t) => ({ top: Math.round(t.getBoundingClientRect().top), right: t.getBoundingClientRect().right })));
    assert.equal(new Set(seen.map((t) => t.top)).size, 1, `${where} at ${size.width}: more than one row`);
    assert.ok(seen.every((t) => t.right <= size.width), `${where} at ${size.width}: cut`);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(`${demo.base}/software/debian-_-expat`);
  await page.getByRole("button", { name: "More tabs" }).press("Enter");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/events$/);
  await page.getByRole("tab", { name: "Event timeline", selected: true }).waitFor();
  await clean("tabs with a menu");
});

test("an excluded device leaves scores and lists, is counted, and comes back", async () => {
  const score = async () => (await read(context, demo, "/exposure-score")).devices;
  const exposed = async () => (await read(context, demo, "/software/debian-_-expat/devices")).total;
  assert.deepEqual([await score(), await exposed()], [2, 2]);
  await page.goto(`${demo.base}/devices/${web.id}`);
  await page.evaluate(() => (window.stayed = true));
  await page.getByRole("button", { name: "Exclude", exact: true }).click();
  const panel = page.getByRole("dialog", { name: "Exclude" });
  await panel.getByLabel("Justification").selectOption("other");
  assert.ok(await panel.getByRole("button", { name: "Exclude", exact: true }).isDisabled(), "another reason needs a comment");
  await panel.getByLabel("Comment").fill("Stands in the lab");
  await clean("exclude a device");
  await panel.getByRole("button", { name: "Exclude", exact: true }).click();
  await page.getByRole("button", { name: "Take in again" }).waitFor({ timeout: limit });
  await page.getByText("Excluded", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => window.stayed), true, "the page was loaded again");
  assert.deepEqual([await score(), await exposed()], [1, 1]);
  await page.goto(`${demo.base}/devices`);
  await page.getByRole("link", { name: "1 excluded" }).click();
  await page.getByText("1 item", { exact: true }).waitFor();
  const row = page.getByRole("row", { name: /web-host/ });
  await row.getByText("Excluded", { exact: true }).waitFor();
  const link = await row.getByRole("link", { name: "web-host" }).boundingBox();
  assert.ok(link.height < 30, "the name is on one line");
  await clean("excluded devices");
  await row.getByRole("checkbox").check();
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Take in again (1)" }).click();
  await page.getByRole("dialog", { name: "Take in again" }).getByRole("button", { name: "Take in again" }).click();
  await page.getByText("Nothing matches").waitFor();
  assert.deepEqual([await score(), await exposed()], [2, 2]);
});

test("several devices get a value and check in at once", async () => {
  await page.goto(`${demo.base}/devices`);
  for (const name of [/web-host/, /db-host/]) await page.getByRole("row", { name }).getByRole("checkbox").check();
  await page.getByRole("button", { name: "More actions" }).click();
  await clean("actions on several devices");
  await page.getByRole("menuitem", { name: "Set device value (2)" }).click();
  const panel = page.getByRole("dialog", { name: "Set device value" });
  await panel.getByRole("radio", { name: "High" }).check();
  await panel.getByRole("button", { name: "Set device value" }).click();
  await panel.waitFor({ state: "detached" });
  for (const d of [web, db]) assert.equal((await read(context, demo, `/devices/${d.id}`)).value, "High");
  for (const name of [/web-host/, /db-host/]) await page.getByRole("row", { name }).getByRole("checkbox").check();
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: "Check in now (2)" }).click();
  const now = page.getByRole("dialog", { name: "Check in now" });
  await now.getByRole("button", { name: "Check in now" }).click();
  await now.waitFor({ state: "detached" });
  assert.deepEqual(page.wrong, []);
});
