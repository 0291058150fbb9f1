// Lists: the URL is the state, exports hold exactly what is filtered, the
// keyboard is enough.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { newPage, read, settled, signIn, startBrowser, startDemo, until } from "./harness.mjs";

let demo, browser, context, device, page;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  context = await signIn(browser, demo);
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

async function open(path) {
  await page.goto(demo.base + path);
  await page.getByText(/^[\d,]+ items?$/).waitFor();
}

test("exposed holds by default, as a pill that can go and come back", async () => {
  await open(vulns());
  const pill = page.getByRole("list", { name: "Filters that hold" }).getByText("Counts in exposure");
  await pill.waitFor();
  const counted = await items();
  assert.equal(query().size, 0);
  await page.getByRole("button", { name: "Remove filter Counts in exposure" }).click();
  await pill.waitFor({ state: "detached" });
  assert.equal(query().get("exposed"), "any");
  await until("more items without the filter", async () => (await items()) >= counted);
  await page.goBack();
  await pill.waitFor();
  await until("the count of before", async () => (await items()) === counted);
});

test("a filter goes to the URL, survives a reload, and Back takes it away", async () => {
  await open(vulns());
  const before = await items();
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  const panel = page.getByRole("dialog", { name: "Filter" });
  await panel.getByRole("checkbox", { name: "High", exact: true }).check();
  await panel.getByRole("button", { name: "Apply" }).click();
  await until("the filter in the URL", () => query().get("severity") === "High");
  const want = (await read(context, demo, `${vulns()}?exposed=true&severity=High&size=30&page=1`)).total;
  await until("filtered rows", async () => (await items()) === want);
  const words = await page.locator("tbody td:nth-child(2)").allInnerTexts();
  assert.ok(words.length > 0 && words.every((w) => w.trim() === "High"), words.join());
  await page.reload();
  await until("the same rows after a reload", async () => (await page.getByText(/^[\d,]+ items?$/).count()) === 1 && (await items()) === want);
  await page.goBack();
  await until("all rows after Back", async () => (await items()) === before);
});

test("search, order by two columns, page size and pages are in the URL", async () => {
  await open(`/devices/${device.id}/software`);
  const all = await items();
  assert.ok(all > 30, `only ${all} products on this machine`);
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
  await until("matching rows", async () => (await items()) < all);
  await page.getByRole("searchbox", { name: "Search software" }).fill("");
  await until("all rows", async () => (await items()) === all);
  await page.getByRole("combobox", { name: "Rows per page" }).selectOption("50");
  await until("50 rows", async () => (await rows().count()) === 50);
  await page.getByRole("combobox", { name: "Rows per page" }).selectOption("30");
  await until("30 rows", async () => (await rows().count()) === 30);
});

test("an export has exactly the filtered items", async () => {
  for (const [path, name] of [[`${vulns()}?severity=High,Medium`, "vulnerabilities"], [`/devices/${device.id}/software?q=lib&vulnerable=true`, "software"], ["/weaknesses", "weaknesses"], ["/software?q=lib", "products"], ["/devices", "devices"]]) {
    await open(path);
    const n = await items();
    for (const [format, count] of [["CSV", (t) => csvRows(t).length - 1], ["JSON Lines", (t) => t.split("\n").filter((l) => l !== "" && JSON.parse(l)).length]]) {
      await page.getByRole("button", { name: "Export" }).click();
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: new RegExp(`^${format}`) }).click()]);
      const text = readFileSync(await download.path(), "utf8");
      assert.equal(count(text), n, `${name} as ${format}: ${text.slice(0, 200)}`);
    }
  }
});

/** The records of a CSV text, quoted line ends included. */
function csvRows(text) {
  const out = [];
  let quoted = false;
  let row = "";
  for (const line of text.split("\n")) {
    row += line;
    for (const c of line) if (c === '"') quoted = !quoted;
    if (!quoted) {
      if (row.trim() !== "") out.push(row);
      row = "";
    }
  }
  return out;
}

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

test("what the list does not understand is named, and nothing breaks", async () => {
  await open(`${vulns()}?severity=High,Awful&sort=-height&page=zero&evil=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E`);
  const note = await page.getByText(/not understood/).innerText();
  for (const part of ["severity=Awful", "sort=-height", "page=zero", "evil=<img"]) assert.ok(note.includes(part), note);
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
