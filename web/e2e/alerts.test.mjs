// An alert from its event to its end, on this very machine: raised on the timeline, it is on
// the open list, the device's tab and card without a reload; resolved, risk and score fall.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, newPage, programStarted, read, settled, signIn, startBrowser, startDemo, still, until, wear } from "./harness.mjs";

let demo, browser, context, list, side, page, device, event, alert, weak;
const title = "Somebody should look at this";
const shots = new URL("./out/", import.meta.url).pathname; // what pages look like

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  context = await signIn(browser, demo);
  device = await settled(context, demo);
  event = await programStarted(context, demo, device);
  [list, side, page] = [await newPage(context), await newPage(context), await newPage(context)];
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const now = () => read(context, demo, `/devices/${device.id}`);
const home = () => `${demo.base}/devices/${device.id}`;
/** The value of a fact at the side of the device's page. */
const fact = (p, name) => p.getByRole("complementary", { name: "Device facts" }).locator("dl > div").filter({ has: p.locator("dt", { hasText: name }) }).locator("dd");
/** The score that the device's page shows, with all its digits. */
const shownScore = async () => Number(await fact(side, "Exposure score").locator("[title]").first().getAttribute("title"));
const card = () => side.getByRole("region", { name: "Active alerts" });

let scoreBefore, scoreWith;

test("an alert that is raised from an event is everywhere without a reload", async () => {
  await list.goto(`${demo.base}/alerts`);
  await list.getByText("No alert was raised").waitFor();
  await side.goto(home());
  await side.getByText("No alert on this device is active.").waitFor();
  assert.match(await fact(side, "Risk level").innerText(), /No known risks/);
  for (const p of [list, side]) await p.evaluate(() => (window.stayed = true));
  scoreBefore = (await now()).score;

  await page.goto(`${home()}/timeline?open=${event.id}`);
  await page.getByRole("button", { name: "Create alert" }).click();
  const panel = page.getByRole("dialog", { name: "Create alert" });
  await panel.getByLabel("Title").fill(title);
  await panel.getByLabel("Severity").selectOption("High");
  await panel.getByLabel("Category").selectOption("Execution");
  await panel.getByLabel("Description").fill("A program that nobody knows was started.");
  await panel.getByLabel("Recommended action").fill("Ask who started it.");
  await panel.getByLabel("ATT&CK techniques").fill("X1");
  assert.ok(await panel.getByRole("button", { name: "Create alert" }).isDisabled(), "what is no technique is sent");
  await panel.getByLabel("ATT&CK techniques").fill("T1059");
  await still(page);
  assert.deepEqual(await axe(page), []);
  await panel.getByRole("button", { name: "Create alert" }).click();
  await page.waitForURL(/\/alerts\?open=da/);
  await page.getByRole("dialog", { name: title }).getByText("Ask who started it.").waitFor();

  await list.getByRole("table", { name: "Alerts" }).getByRole("link", { name: title }).waitFor();
  await list.getByRole("link", { name: "1 active alert" }).waitFor();
  await card().getByRole("link", { name: title }).waitFor();
  await until("the risk level at the side", async () => (await fact(side, "Risk level").innerText()).includes("High"));
  for (const p of [list, side]) assert.equal(await p.evaluate(() => window.stayed), true);
  alert = (await read(context, demo, "/alerts")).items[0];
  assert.deepEqual([alert.device_id, alert.severity, alert.category, alert.status, alert.source, alert.simulated], [device.id, "High", "Execution", "New", "CustomDetection", false]);
  const d = await until("the score to rise", async () => ((d) => d.score > scoreBefore && d)(await now()));
  assert.deepEqual([d.risk, d.alerts], ["High", 1]);
  await until("the score that is shown to rise", async () => (await shownScore()) > scoreBefore);
  scoreWith = await shownScore();
});

test("it is in the device's tab, on its event, and what it names leads to it", async () => {
  await page.goto(`${home()}/alerts`);
  await page.getByRole("table", { name: "Alerts" }).getByRole("link", { name: title }).click();
  await page.getByRole("dialog", { name: title }).getByText("Raised by a person").waitFor();
  await page.goto(`${home()}/timeline?open=${event.id}`);
  await page.getByRole("dialog").getByRole("link", { name: title }).waitFor();
  const file = event.fields.SHA256 ?? event.fields.SHA1;
  if (file) assert.equal((await read(context, demo, `/alerts?entity=file:${file}`)).total, 1);
  assert.equal((await read(context, demo, `/alerts?entity=file:${"0".repeat(64)}`)).total, 0);
});

test("flyouts of what the device is exposed to count it and lead to it", async () => {
  weak = (await read(context, demo, "/weaknesses?threat=alert&exposed=true&size=1")).items[0];
  const product = (await read(context, demo, "/software?threat=alert&size=1")).items[0];
  const todo = (await read(context, demo, "/recommendations?threat=alert&size=1")).items[0];
  for (const [place, what, id] of [["/weaknesses", "weakness", weak.id], ["/software", "software", product.id], ["/recommendations", "recommendation", todo.id]]) {
    await page.goto(`${demo.base}${place}?open=${encodeURIComponent(id)}`);
    await page.getByRole("region", { name: "Associated alerts" }).getByRole("link", { name: "1 active alert on exposed devices" }).click();
    await page.waitForURL((u) => u.pathname === "/alerts" && u.searchParams.get(what) === id && u.searchParams.get("active") === "true");
    await page.getByRole("table", { name: "Alerts" }).getByRole("link", { name: title }).waitFor();
  }
});

test("what the device itself is exposed to says it too, and the lists of exposed devices", async () => {
  const own = `/devices/${device.id}`;
  const todo = (await read(context, demo, `${own}/recommendations?threat=alert&type=Update&size=1`)).items[0];
  const setting = (await read(context, demo, `${own}/recommendations?threat=alert&type=ConfigurationChange&size=1`)).items[0];
  for (const [tab, open] of [["recommendations", todo.id], ["recommendations", setting.id], ["software", todo.product_id], ["vulnerabilities", weak.id]]) {
    await page.goto(`${demo.base}${own}/${tab}?threat=alert&open=${encodeURIComponent(open)}`);
    await page.locator("tbody tr").first().getByRole("img", { name: "Active alerts on an exposed device" }).waitFor();
    const region = page.getByRole("region", { name: "Associated alerts" });
    await region.getByRole("link", { name: "1 active alert on this device" }).waitFor();
    await still(page);
    assert.deepEqual(await axe(page), [], `${tab} ${open}`);
    await region.getByRole("link").click();
    await page.waitForURL((u) => u.pathname === `${own}/alerts` && u.searchParams.get("active") === "true");
  }
  for (const place of [`/recommendations?view=devices&open=${encodeURIComponent(todo.id)}`, `/weaknesses?view=devices&open=${weak.id}`]) {
    await page.goto(demo.base + place);
    await page.getByRole("dialog").getByRole("link", { name: "1 active alert" }).click();
    await page.waitForURL((u) => u.pathname === `${own}/alerts`);
  }
});

test("list, flyout and tab are clean in light and dark", async () => {
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    for (const [name, place, text] of [["alerts", "/alerts", title], ["alert-flyout", `/alerts?open=${alert.id}`, "Ask who started it."], ["alert-manage", `/alerts?open=${alert.id}&view=manage`, "Assign to me"],
      ["alert-evidence", `/alerts?open=${alert.id}&view=evidence`, "Process"], ["alert-history", `/alerts?open=${alert.id}&view=history`, "Comments and history"], ["alert-weakness", `/weaknesses?open=${weak.id}`, "Associated alerts"], ["device-alerts", `/devices/${device.id}/alerts`, title], ["device-with-alert", `/devices/${device.id}`, title]]) {
      await page.goto(demo.base + place);
      await page.getByText(text).first().waitFor();
      await still(page);
      assert.deepEqual(await axe(page), [], `${name}, ${scheme}`);
      await page.screenshot({ path: `${shots}${name}-${scheme}.png` });
    }
  }
  await wear(page, "light");
});

test("resolved, it counts no more: risk level and score fall on the open page", async () => {
  await list.getByRole("link", { name: title }).click();
  const flyout = list.getByRole("dialog", { name: title });
  await flyout.getByRole("button", { name: "Resolve" }).click();
  await flyout.getByText("Resolved", { exact: true }).first().waitFor();
  await side.getByText("No alert on this device is active.").waitFor();
  await until("the risk level to fall", async () => (await fact(side, "Risk level").innerText()).includes("No known risks"));
  await until("the score that is shown to fall", async () => (await shownScore()) < scoreWith);
  assert.equal(await side.evaluate(() => window.stayed), true);
  assert.deepEqual(((d) => [d.risk, d.alerts])(await now()), ["None", 0]);
  await flyout.getByRole("tab", { name: /^Comments and history/ }).click();
  await flyout.getByText(/status: New → Resolved/).waitFor();
  await list.goto(`${demo.base}/alerts?active=true`);
  await list.getByText("Nothing matches").waitFor();
  await page.goto(`${demo.base}/devices/${device.id}/vulnerabilities?open=${weak.id}`);
  await page.getByRole("region", { name: "Associated alerts" }).getByText("The device has no active alerts.").waitFor();
  await page.goto(`${demo.base}/devices/${device.id}/vulnerabilities?threat=alert`);
  await page.getByText("Nothing matches").waitFor();
  const trail = (await read(context, demo, `/audit?q=${alert.id}`)).items;
  assert.ok(trail.length >= 2, "raising and resolving are in the audit log");
  for (const p of [list, side, page]) assert.deepEqual(p.wrong, []);
});
