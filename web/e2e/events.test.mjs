// The event timeline: a newer advisory is imported while pages are open; the
// event appears without a reload, with its flyout, on the dashboard and its trend.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, pkg, read, signIn, startBrowser, startDemo, still, until, writeRoot } from "./harness.mjs";

let demo, browser, context, page, dash;

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const { server_url: server } = await read(context, demo, "/onboarding");
  writeRoot(path.join(demo.dir, "web"), "web-host", [pkg("openssl", "3.0.11-1~deb12u1"), pkg("expat", "2.5.0-1"), pkg("zlib", "1:1.2.13.dfsg-1")]);
  demo.host("web", demo.token(), server, path.join(demo.dir, "web"));
  await until("the device with its software", async () => (await read(context, demo, "/devices")).items.some((d) => d.software === 3));
  page = await newPage(context);
  dash = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Loads a Debian tracker that says these of bookworm: "source CVE status [fixed]". */
function tracker(...rows) {
  const all = {};
  for (const [source, cve, status, fixed] of rows.map((r) => r.split(" "))) {
    (all[source] ??= {})[cve] = { releases: { bookworm: { status, urgency: "not yet assigned", repositories: {}, ...(fixed ? { fixed_version: fixed } : {}) } } };
  }
  const file = path.join(demo.dir, "tracker.json");
  writeFileSync(file, JSON.stringify(all));
  demo.verb("intel", "import", "--force", file);
}

const title = "zlib has 2 new vulnerabilities, impacting 1 device";
const today = new Date().toISOString().slice(0, 10);

test("the first load is one event, and no news", async () => {
  tracker("openssl CVE-2024-90001 open", "expat CVE-2024-90002 open");
  const { items, total } = await read(context, demo, "/events");
  assert.equal(total, 1);
  assert.equal(items[0].kind, "FirstAssessment");
  await dash.goto(`${demo.base}/dashboard`);
  await dash.getByRole("region", { name: "Top events (7 days)" }).getByText("Nothing changed what devices are exposed to").waitFor();
});

test("a newer advisory is an event on the open page", async () => {
  await page.goto(`${demo.base}/events?days=7`);
  await page.getByText("1 item", { exact: true }).waitFor();
  await page.evaluate(() => (window.stayed = true));
  await dash.evaluate(() => (window.stayed = true));
  tracker("openssl CVE-2024-90001 resolved 3.0.15-1~deb12u1", "expat CVE-2024-90002 open", "zlib CVE-2024-90003 open", "zlib CVE-2024-90004 open");
  await page.getByText("3 items", { exact: true }).waitFor();
  const fresh = page.getByRole("button", { name: /new$/ });
  if (await fresh.count()) await fresh.click();
  await page.getByRole("link", { name: title }).waitFor();
  await page.getByRole("link", { name: "openssl: a fix was published for 1 vulnerability, impacting 1 device" }).waitFor();
  await page.getByRole("list", { name: "In this range" }).getByText("2", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => window.stayed), true, "the page was loaded again");
});

test("its flyout leads on: CVEs, recommendation, deep link, Back", async () => {
  await page.getByRole("link", { name: title }).click();
  const flyout = page.getByRole("dialog", { name: title });
  await flyout.getByText("1 of 1 (100 %)").first().waitFor();
  await flyout.getByText(/Exposure score went up from/).waitFor();
  await flyout.getByRole("tab", { name: "Vulnerabilities (2)" }).click();
  await flyout.getByRole("link", { name: "CVE-2024-90004" }).waitFor();
  await page.reload();
  await flyout.getByRole("link", { name: "CVE-2024-90003" }).waitFor();
  await flyout.getByRole("link", { name: "Go to related security recommendation" }).click();
  await page.getByRole("dialog", { name: "Attention required: zlib" }).waitFor();
  await page.goBack();
  await flyout.waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press("Escape");
  await flyout.waitFor({ state: "detached" });
});

test("the dashboard shows it, without a reload", async () => {
  const card = dash.getByRole("region", { name: "Top events (7 days)" });
  await card.getByRole("link", { name: title }).waitFor();
  assert.equal(await dash.evaluate(() => window.stayed), true, "the dashboard was loaded again");
});

test("a dot of the trend tells the day's events, by keyboard", async () => {
  const dot = dash.getByRole("region", { name: "Exposure score" }).getByRole("button", { name: /^3 events on / });
  await dot.waitFor(); // a trend has two points after a minute
  await dot.focus();
  const told = dash.getByRole("group", { name: /^3 events on / });
  await told.getByText(title).waitFor();
  await still(dash);
  assert.deepEqual(await axe(dash), []);
  await dash.keyboard.press("Escape");
  await told.waitFor({ state: "detached" });
  await dot.hover();
  await told.waitFor();
  await dot.focus();
  await dash.keyboard.press("Tab");
  await dash.keyboard.press("Enter");
  await dash.getByRole("heading", { level: 1, name: "Event timeline" }).waitFor();
  const at = new URL(dash.url()).searchParams;
  assert.deepEqual([at.get("from"), at.get("to")], [today, today]);
  await dash.getByText("3 items", { exact: true }).waitFor();
  assert.equal(await dash.getByLabel("From day (UTC)").inputValue(), today);
});

test("range and filters are in the address; the export is what is listed", async () => {
  await page.goto(`${demo.base}/events?type=FixPublished`);
  await page.getByText("1 item", { exact: true }).waitFor();
  await page.getByLabel("Range", { exact: true }).selectOption("1");
  await until("the range in the address", () => new URL(page.url()).searchParams.get("days") === "1");
  await page.getByText("1 item", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Clear all" }).click();
  await page.getByText("3 items", { exact: true }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("days"), "1", "the range went with the filters");
  await page.getByLabel("Range", { exact: true }).selectOption("custom");
  await page.getByLabel("To day (UTC)").fill("2020-01-01");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("No event in this range").waitFor();
  await page.goBack();
  await page.getByText("3 items", { exact: true }).waitFor();
  for (const [format, rows] of [["CSV", (t) => csvRows(t).length - 1], ["JSON Lines", (t) => t.split("\n").filter((l) => l !== "" && JSON.parse(l)).length]]) {
    await page.getByRole("button", { name: "Export" }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: new RegExp(`^${format}`) }).click()]);
    assert.equal(rows(readFileSync(await download.path(), "utf8")), 3, format);
  }
});

test("the page of the product has a dot for it, with a card that leads to the day", async () => {
  const product = `${demo.base}/software/debian-_-zlib`;
  await dash.goto(product);
  const chart = dash.getByRole("region", { name: "Exposed devices over time" });
  const dot = chart.getByRole("button", { name: /^1 event on / });
  await dot.hover();
  const card = chart.getByRole("group", { name: /^1 event on / });
  await card.getByText(title).waitFor();
  assert.equal(await chart.getByText("openssl").count(), 0);
  await still(dash);
  assert.deepEqual(await axe(dash), []);
  const place = await card.boundingBox();
  const room = await dash.locator("main").boundingBox();
  assert.ok(place.x >= room.x && place.x + place.width <= room.x + room.width, "the card is cut off");
  await dash.mouse.move(0, 0);
  await card.waitFor({ state: "detached" });
  await dot.focus();
  await card.getByRole("link", { name: "See all events from this day" }).click();
  await dash.waitForURL((u) => u.pathname.endsWith("/events") && u.searchParams.get("from") === today && u.searchParams.get("to") === today);
  await dash.getByText("1 item", { exact: true }).waitFor();
  // More of it on the same day moves the card without a reload.
  await dash.goto(product);
  await dot.waitFor();
  await dash.evaluate(() => (window.stayed = true));
  tracker("openssl CVE-2024-90001 resolved 3.0.15-1~deb12u1", "expat CVE-2024-90002 open", "zlib CVE-2024-90003 open", "zlib CVE-2024-90004 open", "zlib CVE-2024-90005 open");
  await chart.getByRole("button", { name: /^2 events on / }).waitFor();
  assert.equal(await dash.evaluate(() => window.stayed), true, "the page was loaded again");
});

test("nothing went wrong on the way", () => {
  assert.deepEqual([...page.wrong, ...dash.wrong], []);
});
