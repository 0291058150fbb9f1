// The exposure score: what the dashboard shows is what the API says; what a
// recommendation promises is what the score falls by, on a page that nobody
// reloads; a device's value weighs in; every share is accounted for.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, pkg, read, signIn, startBrowser, startDemo, until, writeRoot } from "./harness.mjs";

let demo, browser, context, page, web, db;
const limit = 10_000; // what Picket promises, not patience: a change is on the page within this many ms
const packages = { web: ["glibc 2.36-9", "curl 7.88.1-10", "apache2 2.4.51-0"], db: ["glibc 2.36-9", "expat 2.5.0-1", "openssh 1:9.2p1-2"] };
const write = (name, list) => writeRoot(path.join(demo.dir, name), `${name}-host`, list.map((p) => pkg(...p.split(" "))));

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const { server_url: server } = await read(context, demo, "/onboarding");
  for (const name of ["web", "db"]) {
    write(name, packages[name]);
    demo.host(name, demo.token(), server, path.join(demo.dir, name));
  }
  const items = await until("both devices with their software", async () => {
    const all = (await read(context, demo, "/devices?sort=name")).items;
    return all.length === 2 && all.every((d) => d.software === 3 && d.weaknesses > 0) && all;
  });
  [db, web] = items;
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const score = () => read(context, demo, "/exposure-score");
const card = (p) => p.getByRole("region", { name: "Exposure score" });
/** All the digits of the score that a dashboard shows. */
const shown = async (p) => Number(await card(p).getByRole("status").locator("[title]").first().getAttribute("title"));
const recommendations = async () => (await read(context, demo, "/recommendations?size=100")).items;

test("the dashboard shows the score that the API says", async () => {
  await page.goto(`${demo.base}/dashboard`);
  await card(page).getByRole("status").waitFor();
  const now = await score();
  assert.ok(now.score > 0);
  await until("the same number on the page", async () => (await shown(page)) === now.score);
  await card(page).getByRole("status", { name: `Exposure score ${now.score.toFixed(1)} of 100` }).waitFor();
  await card(page).getByText(now.level, { exact: true }).waitFor();
  const top = (await recommendations())[0];
  await page.getByRole("region", { name: "Top security recommendations" }).locator("tbody tr").first().getByRole("link", { name: top.name }).waitFor();
  const levels = page.getByRole("region", { name: "Device exposure distribution" });
  const [level, n] = Object.entries(now.levels).find(([, count]) => count > 0);
  await levels.getByRole("img", { name: new RegExp(`^2 devices: .*${n} ${level}`, "i") }).waitFor();
});

test("a segment, a legend and every Show more lead on", async () => {
  const high = (await read(context, demo, `/devices/${web.id}`)).exposure;
  await page.getByRole("region", { name: "Device exposure distribution" }).getByRole("link", { name: high }).click();
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("exposure"), high);
  await page.getByRole("link", { name: "web-host" }).waitFor();
  await page.goBack();
  const ring = await page.getByRole("region", { name: "Device exposure distribution" }).getByRole("img", { name: /^2 devices/ }).boundingBox();
  await page.mouse.click(ring.x + ring.width / 2 + 6, ring.y + ring.height * 0.08);
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  await page.locator("tbody tr").first().waitFor();
  for (const [region, heading] of [["Top security recommendations", "Security recommendations"], ["Top vulnerable software", "Software inventory"], ["Top exposed devices", "Devices"]]) {
    await page.goto(`${demo.base}/dashboard`);
    await page.getByRole("region", { name: region }).getByRole("link", { name: /^Show more/ }).click();
    await page.getByRole("heading", { level: 1, name: heading }).waitFor();
    await page.locator("tbody tr").first().waitFor();
    assert.equal(await page.getByText(/not understood/).count(), 0);
  }
  await page.goto(`${demo.base}/dashboard`);
  const weaknesses = page.getByRole("region", { name: "Weaknesses" });
  const kev = (await read(context, demo, "/dashboard")).kev;
  await weaknesses.getByRole("listitem").filter({ hasText: "known to be exploited" }).getByRole("link", { name: String(kev) }).click();
  await page.getByText(`${kev} item${kev === 1 ? "" : "s"}`, { exact: true }).waitFor();
});

test("an upgrade lowers the score on the open dashboard by what was promised, to the unit", async () => {
  await page.goto(`${demo.base}/dashboard`);
  const was = await score();
  await until("the score before", async () => (await shown(page)) === was.score);
  await page.evaluate(() => (window.stayed = true));
  const todo = (await recommendations()).find((r) => r.component === "expat");
  const { fixes } = await read(context, demo, `/recommendations/${encodeURIComponent(todo.id)}`);
  const start = Date.now();
  write("db", packages.db.map((p) => (p.startsWith("expat") ? `expat ${fixes[0].version}` : p)));
  await until("a lower score on the page", async () => (await shown(page)) < was.score, limit);
  console.log(`# upgrade to dashboard: ${Date.now() - start} ms`);
  const now = await score();
  assert.equal(await shown(page), now.score);
  const [a, b, c] = [[was.num, was.den], [now.num, now.den], [todo.impact_num, todo.impact_den]].map(([n, d]) => [BigInt(n), BigInt(d)]);
  assert.equal((a[0] * b[1] - b[0] * a[1]) * c[1], c[0] * a[1] * b[1], "the score fell by something else than the impact");
  assert.equal(await page.evaluate(() => window.stayed), true, "the page was loaded again");
});

test("a recommendation's flyout is a link: deep link, reload, Back", async () => {
  const [todo] = await recommendations();
  const flyout = page.getByRole("dialog", { name: todo.name });
  await page.goto(`${demo.base}/recommendations?open=${encodeURIComponent(todo.id)}`);
  await flyout.getByText("How this is computed").click();
  await flyout.getByText(`${todo.impact_num} / (${todo.impact_den} · 10¹⁵)`).waitFor();
  await page.reload();
  await flyout.waitFor();
  await flyout.getByRole("tab", { name: "Exposed devices" }).click();
  await flyout.getByRole("link", { name: "web-host" }).waitFor();
  await flyout.getByRole("tab", { name: "Weaknesses" }).click();
  await flyout.getByRole("cell", { name: /^CVE-/ }).first().waitFor();
  assert.equal(await flyout.locator("tbody tr").count(), todo.weaknesses);
  await page.goto(`${demo.base}/dashboard`);
  await page.getByRole("region", { name: "Top security recommendations" }).getByRole("link", { name: todo.name }).click();
  await flyout.waitFor();
  await page.keyboard.press("Escape");
  await flyout.waitFor({ state: "detached" });
  await page.locator("tbody").getByRole("link", { name: todo.name }).click();
  await flyout.waitFor();
  await page.goBack();
  await flyout.waitFor({ state: "detached" });
  await page.getByRole("heading", { level: 1, name: "Security recommendations" }).waitFor();
});

test("a device's recommendations name what they close there", async () => {
  const { items, total } = await read(context, demo, `/devices/${web.id}/recommendations`);
  await page.goto(`${demo.base}/devices/${web.id}`);
  await page.getByRole("tab", { name: new RegExp(`^Security recommendations ?${total}$`) }).click();
  await page.getByRole("link", { name: items[0].name }).click();
  const flyout = page.getByRole("dialog", { name: items[0].name });
  await flyout.getByRole("tab", { name: "Weaknesses" }).click();
  await flyout.getByText(/^\d+ weakness(es)?$/).last().waitFor();
  assert.equal(await flyout.locator("tbody tr").count(), items[0].weaknesses);
});

test("the reasons of a score add up, on the page and in units", async () => {
  await page.goto(`${demo.base}/devices/${web.id}`);
  await page.getByRole("complementary", { name: "Device facts" }).getByRole("link", { name: "Why this score" }).click();
  const flyout = page.getByRole("dialog", { name: "Why this score" });
  await flyout.locator("tbody tr").first().waitFor();
  const d = await read(context, demo, `/devices/${web.id}/score`); // units are text: more digits than a number holds
  assert.equal(d.terms.reduce((n, t) => n + BigInt(t.units), BigInt(d.rest_units)), BigInt(d.units));
  const points = [];
  for (;;) {
    points.push(...(await flyout.locator("tbody td:nth-child(5)").allInnerTexts()).map((t) => Number(t.replace(/\D/g, ""))));
    const next = flyout.getByRole("button", { name: "Next" });
    if ((await next.count()) === 0 || (await next.isDisabled())) break;
    const page1 = await flyout.getByText(/^Page \d+ of \d+$/).innerText();
    await next.click();
    await until("the next page of terms", async () => (await flyout.getByText(/^Page \d+ of \d+$/).innerText()) !== page1 && (await flyout.locator("tbody tr").count()) > 0);
  }
  assert.equal(points.length, d.term_count);
  assert.equal(points.reduce((n, p) => n + p, 0), d.points);
  await flyout.getByText(`100 · ${d.points} / (${d.points} + 10000)`, { exact: false }).waitFor();
  await page.goBack();
  await flyout.waitFor({ state: "detached" });
});

test("the score of the dashboard opens into groups, devices and terms that add up to it", async () => {
  await page.goto(`${demo.base}/dashboard`);
  await card(page).getByRole("link", { name: "Why this score" }).click();
  await page.getByRole("heading", { level: 1, name: "Why these scores" }).waitFor();
  const groups = page.getByRole("table", { name: "Device groups of the score" });
  await groups.locator("tbody tr").first().waitFor();
  const now = await score();
  const sum = (rows) => rows.reduce((n, r) => n + BigInt(r.num), 0n);
  assert.equal(sum((await read(context, demo, "/exposure-score/groups")).items), BigInt(now.num));
  assert.equal(sum((await read(context, demo, "/exposure-score/devices")).items), BigInt(now.num));
  await groups.getByRole("link", { name: "Ungrouped devices" }).click();
  const devices = page.getByRole("table", { name: "Devices of the score" });
  await devices.getByRole("link", { name: "web-host" }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("device_group"), "0");
  const shares = (await devices.locator("tbody td:nth-child(2) [title]").evaluateAll((l) => l.map((e) => Number(e.getAttribute("title"))))).reduce((n, x) => n + x, 0);
  assert.ok(Math.abs(shares - now.score) < 1e-9, `${shares} of ${now.score}`);
  assert.deepEqual(await axe(page), []);
  await page.reload();
  await devices.getByRole("link", { name: "web-host" }).click();
  await page.getByRole("dialog", { name: "Why this score" }).locator("tbody tr").first().waitFor();
  await page.goBack();
  await devices.waitFor();
});

test("the secure score opens into checks; a check that nobody fails is explained by devices and reasons", async () => {
  await page.goto(`${demo.base}/dashboard`);
  const secure = page.getByRole("region", { name: "Secure score for devices" });
  const v = await read(context, demo, "/secure-score");
  const of = v.categories.find((c) => c.max > c.got);
  await secure.getByRole("listitem").nth(v.categories.indexOf(of)).getByRole("link").last().click();
  const table = page.getByRole("table", { name: "Configuration checks" });
  await table.locator("tbody tr").first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get("category"), of.category);
  const rows = (await read(context, demo, `/secure-score/checks?size=1000&category=${of.category}`)).items;
  assert.ok(Math.abs(rows.reduce((n, r) => n + r.got, 0) - of.got) < 1e-9);
  const blind = rows.find((r) => r.not_assessed > 0 && r.failed === 0);
  assert.ok(blind, "no check that no device fails");
  await page.goto(`${demo.base}/scores?tab=checks&open=${encodeURIComponent(blind.id)}&view=not_assessed`);
  const flyout = page.getByRole("dialog", { name: blind.name });
  await flyout.getByRole("table", { name: "Devices: Not assessed" }).locator("tbody tr").first().waitFor();
  assert.equal(await flyout.locator("tbody tr").count(), blind.not_assessed);
  assert.ok((await flyout.locator("tbody td:nth-child(3)").allInnerTexts()).every((t) => t.length > 5), "a reason is missing");
  assert.deepEqual(await axe(page), []);
  await flyout.getByRole("link", { name: "web-host" }).click();
  await page.getByRole("tab", { name: "Configuration", selected: true }).waitFor();
  const one = page.getByRole("dialog", { name: blind.name });
  await one.getByText("Not assessed", { exact: true }).first().waitFor();
  await one.getByText("What to do").waitFor();
  assert.deepEqual(await axe(page), []);
  await page.goto(`${demo.base}/devices/${web.id}/configuration?state=pass`);
  const passed = (await read(context, demo, `/devices/${web.id}/checks?state=pass`)).total;
  await page.getByText(passed === 1 ? "1 item" : `${passed} items`, { exact: true }).waitFor();
});

test("weights of devices are set, hold at once, and are marked on the trend", async () => {
  await until("a point of the history", async () => (await read(context, demo, "/dashboard")).trend.length > 1, 90_000); // once a minute
  const was = await score();
  const names = { low: "Low value", normal: "Normal value" };
  await page.goto(`${demo.base}/settings/device-weights`);
  await page.getByLabel(names.low).fill("0.51");
  await page.getByText("A multiple of 0.025 from 0.025 to 10.").waitFor();
  assert.ok(await page.getByRole("button", { name: "Save" }).isDisabled());
  await page.getByLabel(names.low).fill("0.25");
  await page.getByLabel(names.normal).fill("0.5");
  assert.deepEqual(await axe(page), []);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved. All scores follow it.").waitFor();
  const now = await score();
  assert.equal(now.weights, "Low 0.25, Normal 0.5, High automatic");
  assert.equal(now.den, was.den / 2); // two devices of normal value
  assert.equal(now.score, was.score);
  await page.reload();
  await until("the weight that was saved", async () => (await page.getByLabel(names.low).inputValue()) === "0.25");
  const log = await read(context, demo, "/audit?size=30");
  assert.ok(JSON.stringify(log.items).includes("set-device-weights"), "it is not in the audit log");
  await page.goto(`${demo.base}/dashboard`);
  await until("a trend by both weights", async () => new Set((await read(context, demo, "/dashboard")).trend.map((p) => p.weights)).size === 2);
  await page.reload();
  await card(page).getByText("weights", { exact: true }).waitFor();
  await page.goto(`${demo.base}/settings/device-weights`);
  await page.getByRole("button", { name: "As delivered" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved. All scores follow it.").waitFor();
});

test("a device's value moves the score of the open dashboard", async () => {
  const dash = await newPage(context);
  await dash.goto(`${demo.base}/dashboard`);
  const was = await score();
  await until("the score before", async () => (await shown(dash)) === was.score);
  await page.goto(`${demo.base}/devices/${web.id}`);
  await page.getByRole("button", { name: "Device value: Normal" }).click();
  await page.getByRole("menuitemradio", { name: "Low" }).click();
  await page.getByRole("button", { name: "Device value: Low" }).waitFor();
  await until("another score on the dashboard", async () => (await shown(dash)) !== was.score, limit);
  const now = await score();
  assert.equal(await shown(dash), now.score);
  const [w, d] = await Promise.all([web, db].map(async ({ id }) => (await read(context, demo, `/devices/${id}/score`)).score));
  assert.ok(Math.abs(now.score - (0.75 * w + d) / 1.75) < 1e-9, `${now.score} of ${w} and ${d}`);
  await page.goto(`${demo.base}/devices?value=Low`);
  await page.getByText("1 item", { exact: true }).waitFor();
  await page.getByRole("link", { name: "web-host" }).waitFor();
  assert.deepEqual(dash.wrong, []);
  await dash.close();
});

test("an export of recommendations has as many rows as there are items", async () => {
  for (const list of ["/recommendations", "/recommendations?type=Update&threat=exploit", `/devices/${web.id}/recommendations`]) {
    await page.goto(demo.base + list);
    const count = page.getByText(/^[\d,]+ items?$/);
    await count.waitFor();
    const n = Number((await count.innerText()).replace(/\D/g, ""));
    assert.ok(n > 0, list);
    for (const [format, rows] of [["CSV", (t) => csvRows(t).length - 1], ["JSON Lines", (t) => t.split("\n").filter((l) => l !== "" && JSON.parse(l)).length]]) {
      await page.getByRole("button", { name: "Export" }).click();
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: new RegExp(`^${format}`) }).click()]);
      assert.equal(rows(readFileSync(await download.path(), "utf8")), n, `${list} as ${format}`);
    }
  }
});

test("the keyboard walks recommendations", async () => {
  await page.goto(`${demo.base}/recommendations`);
  await page.locator("tbody tr").nth(1).waitFor();
  const ids = await page.locator("tbody tr").evaluateAll((l) => l.map((r) => r.dataset.key));
  const open = () => new URL(page.url()).searchParams.get("open");
  await page.keyboard.press("j");
  await page.keyboard.press("o");
  await until("the first is open", () => open() === ids[0]);
  await page.keyboard.press("j");
  await until("the second is open", () => open() === ids[1]);
  await page.keyboard.press("k");
  await until("the first is open again", () => open() === ids[0]);
  await page.keyboard.press("Escape");
  await until("none is open", () => open() === null);
  await page.getByRole("button", { name: /^Weaknesses/ }).click();
  await page.getByRole("button", { name: /^Security recommendation/ }).click({ modifiers: ["Shift"] });
  await until("order by both", () => new URL(page.url()).searchParams.get("sort") === "-weaknesses,name");
});

test("nothing went wrong on the way", () => {
  assert.deepEqual(page.wrong, []);
});
