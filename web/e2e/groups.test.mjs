// Device groups and tags: made in the browser with a preview, ranked by buttons
// and by dragging; the selection of groups holds on every page, on links, on
// reload, Back and deep links, and changes scores, lists and exports.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, csvRows, newPage, pkg, read, signIn, startBrowser, startDemo, still, until, writeRoot } from "./harness.mjs";

let demo, browser, context, page, web, db;
const packages = { web: ["glibc 2.36-9", "curl 7.88.1-10", "apache2 2.4.51-0"], db: ["glibc 2.36-9", "expat 2.5.0-1"] };

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const { server_url: server } = await read(context, demo, "/onboarding");
  for (const name of ["web", "db"]) {
    const root = path.join(demo.dir, name);
    writeRoot(root, `${name}-host`, packages[name].map((p) => pkg(...p.split(" "))));
    demo.host(name, demo.token(), server, root);
  }
  [db, web] = await until("both devices with their software", async () => {
    const all = (await read(context, demo, "/devices?sort=name")).items;
    return all.length === 2 && all.every((d) => d.software >= 2 && d.weaknesses > 0) && all;
  });
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const group = () => new URL(page.url()).searchParams.get("group");
const panel = (name) => page.getByRole("dialog", { name });
const ranks = () => page.locator("tbody tr td:nth-child(2) a").allInnerTexts();
/** Makes a group of one condition on names. */
async function make(name, starts) {
  await page.getByRole("button", { name: "New device group" }).click();
  const p = panel("New device group");
  await p.getByLabel("Name", { exact: true }).fill(name);
  await p.getByLabel("Rule 1, condition 1: value").fill(starts);
  return p;
}
const selector = (n, m) => page.getByRole("button", { name: `Selected device groups (${n}/${m})` });
/** Selects these groups and no others. */
async function choose(...names) {
  await page.getByRole("button", { name: /^Selected device groups/ }).click();
  const box = page.getByRole("dialog", { name: "Select device groups" });
  await box.waitFor(); // it is loaded when it is opened first
  for (const c of await box.getByRole("list").getByRole("checkbox").all()) await c.setChecked(names.includes(await c.evaluate((e) => e.labels[0].textContent)));
  await box.getByRole("button", { name: "Apply" }).click();
  await box.waitFor({ state: "detached" });
}
const shownScore = async () => Number(await page.getByRole("region", { name: "Exposure score" }).getByRole("status").locator("[title]").first().getAttribute("title"));

test("a group is made with a preview of what it takes", async () => {
  await page.goto(`${demo.base}/settings/device-groups`);
  const p = await make("Web servers", "db");
  await p.getByText("1 device would be in the group.").waitFor();
  await p.getByRole("row", { name: /db-host/ }).waitFor();
  await p.getByLabel("Rule 1, condition 1: value").fill("WEB");
  await p.getByRole("row", { name: /web-host/ }).waitFor();
  await p.getByRole("row", { name: /db-host/ }).waitFor({ state: "detached" });
  await p.getByText("1 from Ungrouped devices").waitFor();
  await p.getByRole("button", { name: "Or another rule" }).click();
  await p.getByLabel("Rule 2, condition 1: property").selectOption("IP address");
  await p.getByLabel(/Rule 2, condition 1: value/).fill("10.0.0");
  await p.getByText(/Rule 2, condition 1, value 1: "10.0.0" is no address/).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await p.getByRole("button", { name: "Remove rule 2", exact: true }).click();
  await p.getByRole("button", { name: "Save" }).click();
  await p.waitFor({ state: "detached" });
  const row = page.getByRole("row", { name: /Web servers/ });
  await row.getByText("Name starts with WEB").waitFor();
  await row.getByRole("link", { name: "1", exact: true }).waitFor();
  const d = await read(context, demo, `/devices/${web.id}`);
  assert.equal(d.group, "Web servers");
});

test("ranks change by the keyboard and by dragging, and devices move at once", async () => {
  const p = await make("All hosts", "");
  await p.getByLabel("Rule 1, condition 1: property").selectOption("OS platform");
  await p.getByLabel("Rule 1, condition 1: value").fill("debian");
  await p.getByText("2 devices match; 1 would be in the group, the others stay in groups of a better rank.").waitFor();
  await p.getByRole("button", { name: "Save" }).click();
  await until("two groups", async () => (await ranks()).join() === "Web servers,All hosts");
  const groupOf = async () => (await read(context, demo, `/devices/${web.id}`)).group;
  assert.equal(await groupOf(), "Web servers");
  await page.getByRole("button", { name: "All hosts: better rank" }).focus();
  await page.keyboard.press("Enter");
  await until("the device in the group that is first now", async () => (await groupOf()) === "All hosts");
  assert.equal((await ranks()).join(), "All hosts,Web servers");
  await page.getByRole("row", { name: /Web servers/ }).dragTo(page.getByRole("row", { name: /All hosts/ }));
  await until("the device back", async () => (await groupOf()) === "Web servers");
  await until("ranks as dragged", async () => (await ranks()).join() === "Web servers,All hosts");
  await page.reload();
  await until("the same ranks", async () => (await ranks()).join() === "Web servers,All hosts");
});

test("the selection changes scores and lists, and goes along from page to page", async () => {
  const [first, second] = (await read(context, demo, "/device-groups")).map((g) => g.id);
  await page.goto(`${demo.base}/dashboard`);
  await selector(3, 3).waitFor();
  const whole = (await read(context, demo, "/exposure-score")).score;
  await until("the score of all", async () => (await shownScore()) === whole);
  await choose("Web servers");
  await selector(1, 3).waitFor();
  assert.equal(group(), String(first));
  const part = (await read(context, demo, `/exposure-score?group=${first}`)).score;
  assert.notEqual(part, whole);
  await until("the score of the group", async () => (await shownScore()) === part);

  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Software inventory" }).click();
  await page.getByRole("heading", { level: 1, name: "Software inventory" }).waitFor();
  await page.getByRole("link", { name: "apache2", exact: true }).waitFor();
  assert.equal(group(), String(first));
  assert.equal(await page.getByText("expat", { exact: true }).count(), 0, "software of another group");
  await page.getByRole("link", { name: "apache2", exact: true }).click();
  await page.getByRole("dialog").getByRole("tab", { name: "Installed devices" }).click();
  await page.getByRole("dialog").getByText("web-host").first().waitFor();
  await page.keyboard.press("Escape");
  assert.equal(group(), String(first));
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Devices" }).click();
  await page.getByText("1 item", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: /^CSV/ }).click()]);
  assert.equal(csvRows(readFileSync(await download.path(), "utf8")).length, 2, "an export of the selection");

  await page.reload();
  await page.getByText("1 item", { exact: true }).waitFor();
  await choose("All hosts", "Ungrouped devices");
  await page.getByRole("link", { name: "db-host" }).waitFor();
  assert.equal(group(), `0,${second}`);
  await page.goBack();
  await page.getByRole("link", { name: "web-host" }).waitFor();
  assert.equal(group(), String(first));
  await selector(1, 3).waitFor();
  await page.goto(`${demo.base}/dashboard?group=${second}`);
  await selector(1, 3).waitFor();
  const other = (await read(context, demo, `/exposure-score?group=${second}`)).score;
  await until("the score of a deep link", async () => (await shownScore()) === other);
  await page.getByRole("button", { name: /^Selected device groups/ }).click();
  await still(page);
  assert.deepEqual(await axe(page), []);
  const box = page.getByRole("dialog", { name: "Select device groups" });
  await box.getByLabel("Search device groups").fill("web");
  assert.equal(await box.getByRole("list").getByRole("checkbox").count(), 1);
  await box.getByLabel("Search device groups").fill("");
  await box.getByLabel("All device groups").check();
  await page.keyboard.press("Escape");
  assert.equal(group(), String(second), "Escape changed the selection");
  await choose("Web servers", "All hosts", "Ungrouped devices");
  await selector(3, 3).waitFor();
  assert.equal(group(), null);
  await until("the score of all again", async () => (await shownScore()) === whole);
});

test("tags are given and taken away on a device's page and on many devices", async () => {
  await page.goto(`${demo.base}/devices/${web.id}`);
  const side = page.getByRole("complementary", { name: "Device facts" });
  await side.getByLabel("Add a tag").fill("prod (eu), blue");
  await page.keyboard.press("Enter");
  await side.getByRole("list", { name: "Tags" }).getByText("prod (eu), blue").waitFor();
  await page.goto(`${demo.base}/settings/tag-rules`);
  await page.getByRole("button", { name: "New tag rule" }).click();
  const p = panel("New tag rule");
  await p.getByLabel("Tag", { exact: true }).fill("databases");
  await p.getByLabel("Rule 1, condition 1: value").fill("db");
  await p.getByText("1 device would have the tag.").waitFor();
  await p.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: /databases/ }).getByRole("link", { name: "1", exact: true }).click();
  await page.getByText("1 item", { exact: true }).waitFor();
  await page.getByRole("link", { name: "db-host" }).click();
  await side.getByRole("list", { name: "Tags" }).getByText("databases").waitFor();
  assert.equal(await side.getByRole("button", { name: "Remove tag databases" }).count(), 0, "a rule's tag can be taken away");

  await page.goto(`${demo.base}/devices`);
  await page.getByLabel("Select all rows of this page").check();
  await page.getByRole("button", { name: "Manage tags (2)" }).click();
  const many = panel("Tags of 2 devices");
  await many.getByLabel("Add a tag").fill("seen");
  await page.keyboard.press("Enter");
  await many.getByLabel("prod (eu), blue").check();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await many.getByRole("button", { name: "Apply" }).click();
  await many.waitFor({ state: "detached" });
  const tags = async (d) => (await read(context, demo, `/devices/${d.id}`)).tags.join();
  assert.equal(await tags(web), "seen");
  assert.equal(await tags(db), "seen,databases");
  await page.goto(`${demo.base}/devices?tag=seen,nothing&device_group=0`);
  await page.getByText("Nothing matches").waitFor();
  await page.goto(`${demo.base}/devices/${web.id}`);
  await side.getByRole("button", { name: "Remove tag seen" }).click();
  await side.getByText("No tags").waitFor();
});

test("a tag with a comma can be filtered by", async () => {
  await page.goto(`${demo.base}/devices/${web.id}`);
  const side = page.getByRole("complementary", { name: "Device facts" });
  await side.getByLabel("Add a tag").fill("a, (b)");
  await page.keyboard.press("Enter");
  await side.getByRole("list", { name: "Tags" }).getByText("a, (b)").waitFor();
  await page.goto(`${demo.base}/devices`);
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.getByLabel("a, (b)").check();
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("1 item", { exact: true }).waitFor();
  await page.reload();
  await page.getByText("1 item", { exact: true }).waitFor();
  await page.getByRole("link", { name: "web-host" }).waitFor();
});

test("a deleted group's devices go on, and its address still opens", async () => {
  await page.goto(`${demo.base}/settings/device-groups`);
  const [first] = (await read(context, demo, "/device-groups")).map((g) => g.id);
  await page.getByRole("link", { name: "Web servers" }).click();
  const p = panel("Edit Web servers");
  await p.getByRole("button", { name: "Delete" }).click();
  await p.getByRole("button", { name: "Delete it" }).click();
  await p.waitFor({ state: "detached" });
  assert.equal((await read(context, demo, `/devices/${web.id}`)).group, "All hosts");
  await page.goto(`${demo.base}/dashboard?group=${first}`);
  await selector(0, 2).waitFor();
  assert.deepEqual(page.wrong.filter((w) => !w.includes("status of 422")), []); // a preview of a wrong rule
});
