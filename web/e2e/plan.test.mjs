// What-if and patch plans: two recommendations are chosen in the browser and
// the new score is shown; they become a plan; they are carried out on the hosts,
// and the page that stayed open shows the predicted score as the actual one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, pkg, read, signIn, startBrowser, startDemo, still, until, writeRoot } from "./harness.mjs";

let demo, browser, context, page, web;
const limit = 10_000; // what Picket promises: a change is on the page within this many ms
const packages = { web: ["glibc 2.36-9", "curl 7.88.1-10", "apache2 2.4.51-0", "expat 2.5.0-1"], db: ["glibc 2.36-9", "expat 2.5.0-1", "openssh 1:9.2p1-2"] };
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
    return all.length === 2 && all.every((d) => d.software >= 3 && d.weaknesses > 0) && all;
  });
  web = items[1];
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const score = () => read(context, demo, "/exposure-score");
const updates = async () => (await read(context, demo, "/recommendations?size=100&type=Update")).items;
const ask = async (target, data) => {
  const r = await context.request.post(`${demo.base}/api/x${target}`, { data });
  if (!r.ok()) throw new Error(`POST ${target}: ${r.status()} ${await r.text()}`);
  return r.json();
};
const pick = (name) => page.getByRole("checkbox", { name: `What if: ${name}` });
const digits = async (group) => Number((await group.getAttribute("aria-label")).replace(/^\D*/, ""));

let chosen; // expat and curl, as they were recommended
test("two recommendations go into the basket, and the new score is exact", async () => {
  chosen = (await updates()).filter((r) => ["expat", "curl"].includes(r.component));
  assert.equal(chosen.length, 2);
  await page.goto(`${demo.base}/recommendations?type=Update`);
  for (const r of chosen) await pick(r.name).check();
  await page.getByRole("link", { name: "What-if (2)" }).click();
  const flyout = page.getByRole("dialog", { name: "What if" });
  const want = await ask("/what-if", { recommendations: chosen.map((r) => r.id) });
  await until("the new score on the page", async () => (await digits(flyout.getByRole("status", { name: /^New exposure score/ }))) === want.after.score);
  assert.ok(want.after.score < want.before.score);
  assert.ok(want.impact > want.separate, "together is more than one by one where a device has both");
  await flyout.getByRole("img", { name: /^Exposure score: from/ }).waitFor();
  await flyout.getByText(`${want.devices} of 2`, { exact: true }).waitFor();
  await flyout.getByText(`${want.before.num} − ${want.after.num} = ${want.impact_num}`).waitFor({ state: "attached" });
  assert.equal(await flyout.locator("tbody tr").count(), 2);
  await still(page);
  assert.deepEqual(await axe(page), []);
});

test("the basket survives navigation, a reload and Back", async () => {
  const flyout = page.getByRole("dialog", { name: "What if" });
  await page.reload();
  await flyout.waitFor();
  await flyout.getByText("2 recommendations carried out together").waitFor();
  await page.goto(`${demo.base}/weaknesses`);
  await page.getByRole("heading", { level: 1, name: "Weaknesses" }).waitFor();
  await page.goBack();
  await flyout.waitFor();
  await page.keyboard.press("Escape");
  await flyout.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "What-if (2)" }).click();
  await flyout.getByRole("button", { name: `Take out ${chosen[1].name}` }).click();
  await flyout.getByText("1 recommendation carried out together").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "What-if (1)" }).waitFor();
  assert.equal(await pick(chosen[1].name).isChecked(), false);
  await pick(chosen[1].name).check();
});

let plan;
test("the basket becomes a plan that is saved", async () => {
  await page.getByRole("link", { name: "What-if (2)" }).click();
  await page.getByRole("link", { name: "Make a plan of it" }).click();
  await page.getByRole("heading", { level: 1, name: "Patch plan" }).waitFor();
  await page.getByRole("button", { name: "Predict" }).click();
  await page.getByText(/^2 changes of your choice/).waitFor();
  const steps = page.getByRole("region", { name: "Steps" });
  assert.equal(await steps.locator("tbody tr").count(), 2);
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.getByRole("textbox", { name: "Name" }).fill("Spring cleaning");
  await page.getByRole("button", { name: "Save plan" }).click();
  const flyout = page.getByRole("dialog", { name: "Spring cleaning" });
  await flyout.getByText("0 / 2", { exact: true }).waitFor();
  plan = (await read(context, demo, "/plans")).items[0];
  const want = await ask("/what-if", { recommendations: chosen.map((r) => r.id) });
  assert.equal(plan.predicted, want.after.score);
  assert.equal(await digits(flyout.getByRole("group", { name: /^Predicted score/ })), want.after.score);
  assert.equal(await digits(flyout.getByRole("group", { name: /^Actual score/ })), (await score()).score);
  await still(page);
  assert.deepEqual(await axe(page), []);
});

test("remediation of the whole plan is requested in one form, and each step has its activity", async () => {
  const flyout = page.getByRole("dialog", { name: "Spring cleaning" });
  await flyout.getByRole("button", { name: "Request remediation" }).click();
  const form = page.getByRole("dialog", { name: "Request remediation of the plan" });
  await form.getByText("Steps (2 of 2)", { exact: true }).waitFor();
  await form.getByText("All devices", { exact: true }).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  const one = form.getByRole("checkbox", { name: `Request ${chosen[0].name}` });
  await one.uncheck();
  await form.getByRole("button", { name: "Request 1 step" }).waitFor();
  await one.check();
  await form.getByRole("textbox", { name: "Notes" }).fill("before the holidays");
  await form.getByRole("button", { name: "Request all 2 steps" }).click();
  await flyout.waitFor();
  const links = flyout.getByRole("link", { name: "Active" });
  await until("both steps name their activity", async () => (await links.count()) === 2);
  const list = (await read(context, demo, "/remediations")).items;
  assert.deepEqual(list.map((r) => r.recommendation_id).sort(), chosen.map((r) => r.id).sort());
  assert.ok(list.every((r) => r.notes === "before the holidays" && r.due !== ""));
  await flyout.getByRole("button", { name: "Request remediation" }).click();
  await until("a second request is not offered", async () => (await form.getByText("Requested with this plan already").count()) === 2);
  assert.equal(await form.getByRole("button", { name: /^Request/ }).count(), 0);
  await form.getByRole("button", { name: "Back to the plan" }).click();
  await flyout.getByRole("tab", { name: "Predicted and actual" }).click();
});

test("carried out on the hosts, the open page shows the predicted score as the actual one", async () => {
  const flyout = page.getByRole("dialog", { name: "Spring cleaning" });
  await page.evaluate(() => (window.stayed = true));
  const fixed = {};
  for (const r of chosen) fixed[r.component] = (await read(context, demo, `/recommendations/${encodeURIComponent(r.id)}`)).fixes[0].version;
  const upgraded = (list, only) => list.map((p) => { const [name] = p.split(" "); return fixed[name] && only.includes(name) ? `${name} ${fixed[name]}` : p; });
  write("web", upgraded(packages.web, ["curl"]));
  await until("one step is done", async () => (await flyout.getByText("1 / 2", { exact: true }).count()) === 1, limit);
  write("web", upgraded(packages.web, ["curl", "expat"]));
  write("db", upgraded(packages.db, ["expat"]));
  const start = Date.now();
  await until("both steps are done", async () => (await flyout.getByText("2 / 2", { exact: true }).count()) === 1, limit);
  const predicted = await digits(flyout.getByRole("group", { name: /^Predicted score/ }));
  await until("actual equals predicted on the page", async () => (await digits(flyout.getByRole("group", { name: /^Actual score/ }))) === predicted, limit);
  console.log(`# upgrade to plan: ${Date.now() - start} ms`);
  assert.equal((await score()).score, predicted);
  assert.equal(await page.evaluate(() => window.stayed), true, "the page was loaded again");
  const now = await read(context, demo, `/plans/${plan.id}`);
  assert.deepEqual([now.actual.score.num, now.actual.score.den], [now.predicted.num, now.predicted.den]);
  await flyout.getByRole("tab", { name: "Steps" }).click();
  assert.deepEqual(await flyout.locator("tbody td:nth-child(3)").allInnerTexts(), ["Done", "Done"]);
  await until("the activities are completed", async () => (await flyout.getByRole("link", { name: "Completed" }).count()) === 2, limit);
  assert.equal(await flyout.getByRole("button", { name: "Request remediation" }).count(), 0);
  for (const [format, rows] of [["CSV", (t) => csvRows(t).length - 1], ["JSON Lines", (t) => t.split("\n").filter((l) => l !== "" && JSON.parse(l)).length]]) {
    await flyout.getByRole("button", { name: "Export steps" }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: new RegExp(`^${format}`) }).click()]);
    assert.equal(rows(readFileSync(await download.path(), "utf8")), 2, format);
  }
});

test("the smallest plan for a target keeps to its limits and says what is proven", async () => {
  const was = await score();
  const target = Math.ceil(was.score * 900) / 1000; // a tenth less
  await page.goto(`${demo.base}/recommendations/plan?target=${target}`);
  await page.getByRole("textbox", { name: /^Devices, at most/ }).fill("1");
  await page.getByRole("button", { name: "Find the smallest plan" }).click();
  const plan = page.getByRole("region", { name: "Plan", exact: true });
  await plan.getByText(/bring.* the score below|cannot be reached within these limits|No plan that reaches/).waitFor();
  const said = await ask("/plans/draft", { target, types: ["Update", "ConfigurationChange", "Restart"], max_devices: 1 });
  await plan.getByText(said.reached ? /^Proven:/ : /limits/).first().waitFor();
  assert.equal(await page.getByRole("region", { name: "Steps" }).locator("tbody tr").count(), said.steps.length);
  const address = page.url();
  assert.equal(new URL(address).searchParams.get("devices"), "1");
  await page.reload();
  assert.equal(await page.getByRole("textbox", { name: /^Devices, at most/ }).inputValue(), "1");
  await page.goto(`${demo.base}/recommendations/plan?target=0`);
  await page.getByRole("button", { name: "Find the smallest plan" }).click();
  await page.getByText(/^The target cannot be reached: with all/).waitFor();
});

test("a search is cancelled", async () => {
  await page.goto(`${demo.base}/recommendations/plan?target=1`);
  let go;
  const held = new Promise((done) => (go = done));
  await page.route("**/api/x/plans/draft*", async (route) => { await held; await route.continue().catch(() => {}); }); // a fleet that takes longer
  await page.getByRole("button", { name: "Find the smallest plan" }).click();
  await page.getByRole("progressbar", { name: "Progress of the search" }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("The last search was cancelled.").waitFor();
  go();
  await page.unroute("**/api/x/plans/draft*");
  await page.getByRole("button", { name: "Find the smallest plan" }).click();
  await page.getByRole("region", { name: "Plan", exact: true }).getByRole("status").waitFor();
});

test("what is left out of a plan stays out", async () => {
  const was = await score();
  await page.goto(`${demo.base}/recommendations/plan?target=${Math.ceil(was.score * 950) / 1000}`);
  await page.getByRole("button", { name: "Find the smallest plan" }).click();
  const steps = page.getByRole("region", { name: "Steps" });
  const first = steps.locator("tbody tr").first().getByRole("link");
  const name = await first.innerText();
  await steps.getByRole("button", { name: `Plan without ${name}` }).click();
  await page.getByRole("button", { name: `Allow ${name} again` }).waitFor();
  await until("another first step", async () => (await steps.count()) === 0 || (await first.innerText()) !== name);
  assert.notEqual(new URL(page.url()).searchParams.get("exclude"), null);
});

test("the list of plans is filtered, exported and emptied", async () => {
  await page.goto(`${demo.base}/recommendations/plans?state=Done`);
  await page.getByText("1 item", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: /^CSV/ }).click()]);
  assert.equal(csvRows(readFileSync(await download.path(), "utf8")).length - 1, 1);
  await page.getByRole("link", { name: "Spring cleaning" }).click();
  const flyout = page.getByRole("dialog", { name: "Spring cleaning" });
  await flyout.getByRole("button", { name: "Delete" }).click();
  await flyout.getByRole("button", { name: "Delete for good" }).click();
  await flyout.waitFor({ state: "detached" });
  await until("no plan is left", async () => (await page.locator("tbody tr").count()) === 0);
  assert.equal((await read(context, demo, "/plans")).total, 0);
});

test("nothing went wrong on the way", () => {
  assert.deepEqual(page.wrong, []);
});
