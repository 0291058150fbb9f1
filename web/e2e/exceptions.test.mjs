// An exception made in the browser: the recommendation's status, the columns
// after exceptions and the score change on the page; canceled, they return.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, newPage, pkg, read, sectionNames, signIn, startBrowser, startDemo, still, until, wear, writeRoot } from "./harness.mjs";

let demo, browser, context, page, top;
const packages = { web: ["glibc 2.36-9", "curl 7.88.1-10", "apache2 2.4.51-0"], db: ["glibc 2.36-9", "expat 2.5.0-1"] };

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const { server_url: server } = await read(context, demo, "/onboarding");
  for (const name of ["web", "db"]) {
    writeRoot(path.join(demo.dir, name), `${name}-host`, packages[name].map((p) => pkg(...p.split(" "))));
    demo.host(name, demo.token(), server, path.join(demo.dir, name));
  }
  await until("both devices with their software", async () => {
    const all = (await read(context, demo, "/devices")).items;
    if (all.length !== 2 || !all.every((d) => d.software > 1 && d.weaknesses > 0)) return false;
    const whole = await Promise.all(all.map((d) => read(context, demo, `/devices/${d.id}`)));
    return whole.every((d) => sectionNames.every((n) => d.sections.some((s) => s.name === n))); // settings weigh in scores too
  });
  top = await until("a recommendation for both", async () => (await read(context, demo, "/recommendations?type=Update&size=100")).items.find((r) => r.exposed === 2));
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const now = async () => (await read(context, demo, `/recommendations?size=100`)).items.find((r) => r.id === top.id);
const score = async () => (await read(context, demo, "/exposure-score")).score;
const flyout = (name) => page.getByRole("complementary", { name }).or(page.getByRole("dialog", { name }));
const list = (search) => `${demo.base}/recommendations?q=${encodeURIComponent(top.id)}${search}`;
const cell = async (title) => {
  const at = (await page.locator("thead th").allInnerTexts()).findIndex((t) => t.trim() === title);
  return (await page.locator("tbody tr").first().locator("th,td").nth(at).innerText()).trim();
};

test("an exception that mitigates takes the recommendation and its points away", async () => {
  const before = await score();
  await page.goto(list(`&open=${encodeURIComponent(top.id)}`));
  await page.getByRole("button", { name: "Exception options" }).click();
  const form = page.getByRole("form", { name: "Exception options" });
  await form.getByRole("radio", { name: /^Alternate mitigation/ }).click();
  await form.getByText("Lowers the exposure score and raises the secure score").waitFor();
  await form.getByRole("textbox", { name: "Context" }).fill("A firewall is in front of it");
  await form.getByRole("radio", { name: "60 days" }).click();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await form.getByRole("button", { name: "Make the exception" }).click();
  await page.getByText("The exception is in place.").waitFor();
  const r = await now();
  assert.deepEqual([r.status, r.exposed, r.exposed_after, r.impact, r.impact_after], ["FullException", 2, 0, 0, 0]);
  assert.ok((await score()) < before, "the score did not fall");
  await page.getByRole("button", { name: "Back to the details" }).click();
  await page.getByText("Full exception").first().waitFor();
});

test("the list shows it, with the columns after exceptions", async () => {
  await page.goto(list(""));
  await page.getByRole("button", { name: "Customize columns" }).click();
  await page.getByRole("checkbox", { name: "Exposed devices (after exceptions)" }).click();
  await page.getByRole("checkbox", { name: "Impact (after exceptions)" }).click();
  await page.keyboard.press("Escape");
  await until("the status in the list", async () => (await cell("Status")) === "Full exception");
  assert.equal(await cell("Exposed devices (after exceptions)"), "0");
  assert.equal(await cell("Impact (after exceptions)"), "0");
  await page.goto(`${demo.base}/dashboard`);
  await page.getByRole("region", { name: "Top security recommendations" }).getByRole("link", { name: "Show exceptions" }).click();
  await page.getByRole("heading", { level: 1, name: "Security recommendations" }).waitFor();
  await page.getByRole("link", { name: top.name, exact: true }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 1);
});

test("its page lists it; canceled, all is as before", async () => {
  const low = await score();
  await page.goto(`${demo.base}/remediation/exceptions`);
  await page.getByRole("link", { name: top.name, exact: true }).click();
  await page.getByText("A firewall is in front of it").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.getByRole("button", { name: "Cancel exception" }).click();
  await page.getByRole("button", { name: "Yes, cancel" }).click();
  await until("the status on the page", async () => (await cell("Status")) === "Canceled");
  const r = await now();
  assert.deepEqual([r.status, r.exposed_after, r.impact, r.impact_after], ["Active", 2, top.impact, top.impact]);
  assert.ok((await score()) > low, "the score did not rise again");
  assert.equal(await page.getByRole("button", { name: "Cancel exception" }).count(), 0);
});

test("a weakness is excepted for one device", async () => {
  const { items } = await read(context, demo, "/weaknesses?exposed=true&size=100");
  const weak = items.find((w) => w.exposed === 2);
  await page.goto(`${demo.base}/weaknesses?q=${weak.id}&open=${weak.id}&view=exception`);
  const form = page.getByRole("form", { name: "Exception options" });
  await form.getByRole("radio", { name: "Some devices" }).click();
  await form.getByRole("searchbox", { name: "Search devices" }).fill("web-host");
  await form.getByRole("checkbox", { name: "web-host" }).click();
  await form.getByRole("button", { name: "Make the exception" }).click();
  await page.getByText("The exception is in place.").waitFor();
  const w = (await read(context, demo, `/weaknesses/${weak.id}`));
  assert.deepEqual([w.exposed, w.exposed_after, w.exception], [2, 1, true]);
  await page.getByText(", 1 after exceptions").waitFor();
  const web = (await read(context, demo, "/devices?q=web-host")).items[0];
  await page.goto(`${demo.base}/devices/${web.id}/vulnerabilities?exception=true`);
  await page.getByRole("link", { name: weak.id }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 1);
});

test("groups that have an exception already say until when and cannot be chosen; many groups are searched", async () => {
  const add = async (name) => {
    const r = await context.request.post(`${demo.base}/api/x/device-groups`, { data: { name, description: "", rules: [] }, headers: { Origin: demo.base } });
    assert.ok(r.ok(), await r.text());
    return (await r.json()).id;
  };
  const first = await add("Branch 1");
  await add("Branch 2");
  await page.goto(list(`&open=${encodeURIComponent(top.id)}&view=exception`));
  const form = page.getByRole("form", { name: "Exception options" });
  const box = form.getByRole("group", { name: "Device groups" });
  await form.getByRole("radio", { name: "Some device groups" }).click();
  assert.equal(await box.getByRole("checkbox").count(), 3);
  assert.equal(await box.getByRole("searchbox").count(), 0, "a search for three groups");
  await box.getByRole("checkbox", { name: /^Branch 1/ }).click();
  await form.getByRole("radio", { name: "60 days" }).click();
  await form.getByRole("button", { name: "Make the exception" }).click();
  await page.getByText("The exception is in place.").waitFor();
  const made = (await read(context, demo, `/exceptions?recommendation=${encodeURIComponent(top.id)}&status=InEffect`)).items[0];
  assert.deepEqual(made.group_ids, [first]);

  for (let n = 3; n <= 21; n++) await add(`Branch ${n}`);
  await page.goto(list(`&open=${encodeURIComponent(top.id)}&view=exception`));
  await form.getByText("21 groups, 1 more has one already").waitFor();
  await form.getByRole("radio", { name: "Some device groups" }).click();
  const held = box.getByRole("checkbox", { name: /^Branch 1 \(0\) ?Has an exception until \w+ \d+, \d{4}$/ });
  await held.waitFor();
  assert.ok(await held.isDisabled());
  await box.getByRole("searchbox", { name: "Search device groups" }).fill("branch 2");
  assert.equal(await box.getByRole("checkbox").count(), 4); // all, 2, 20 and 21
  await box.getByRole("checkbox", { name: "All 3 that are found" }).click();
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    assert.deepEqual(await axe(page), [], scheme);
    await page.screenshot({ path: new URL(`./out/exception-groups-${scheme}.png`, import.meta.url).pathname });
  }
  await wear(page, "light");
  await form.getByRole("button", { name: "Make the exception" }).click();
  await page.getByText("The exception is in place.").waitFor();
  const all = (await read(context, demo, `/exceptions?recommendation=${encodeURIComponent(top.id)}&status=InEffect&sort=-created_at`)).items;
  assert.equal(all[0].group_ids.length, 3);
  // The rest is taken whole: what is held is left out.
  await page.goto(list(`&open=${encodeURIComponent(top.id)}&view=exception`));
  await form.getByRole("radio", { name: /^All current device groups/ }).click();
  await form.getByText("18 groups, 4 more have one already").waitFor();
  await form.getByRole("button", { name: "Make the exception" }).click();
  await page.getByText("The exception is in place.").waitFor();
  assert.equal((await now()).status, "FullException");
});

test("nothing went wrong in the browser", () => assert.deepEqual(page.wrong, []));
