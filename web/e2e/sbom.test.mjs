// Bills of materials: a file dropped into the browser is a device with its
// weaknesses; an older one is refused until it is forced; what is downloaded
// says the same.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, newPage, read, signIn, startBrowser, startDemo, still, toTab, until } from "./harness.mjs";

let demo, browser, context, page;

/** A document as Syft writes it of a Debian 12 image; packages are "name version source". */
function syft(subject, made, packages) {
  return JSON.stringify({
    bomFormat: "CycloneDX", specVersion: "1.6", serialNumber: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", version: 1,
    metadata: { timestamp: made, tools: { components: [{ type: "application", name: "syft", version: "1.18.1" }] }, component: { type: "container", name: subject } },
    components: [
      ...packages.map((p) => p.split(" ")).map(([name, version, source]) => ({ type: "library", name, version, purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=amd64&distro=debian-12&upstream=${source}` })),
      { type: "library", name: "left-over", version: "1" },
      { type: "operating-system", name: "debian", version: "12", properties: [{ name: "syft:distro:id", value: "debian" }, { name: "syft:distro:versionID", value: "12" }, { name: "syft:distro:prettyName", value: "Debian GNU/Linux 12 (bookworm)" }] },
    ],
  });
}

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const file = (name, text) => {
  const at = path.join(demo.dir, name);
  writeFileSync(at, text);
  return at;
};
const panel = () => page.getByRole("dialog", { name: "Import SBOM" });
const upload = async (name, text) => {
  await panel().getByLabel("Files to import").setInputFiles(file(name, text));
  const item = panel().getByRole("list", { name: "Imported files" }).getByRole("listitem");
  await item.filter({ hasText: name }).waitFor();
  return item;
};

test("a file from the browser becomes a device with its weaknesses", async () => {
  await page.goto(`${demo.base}/devices`);
  await page.getByRole("button", { name: "Import SBOM" }).click();
  await panel().waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  const item = await upload("shop.cdx.json", syft("registry.test/shop:7", "2026-11-20T09:00:00Z", ["libc6 2.36-9 glibc", "libcurl4 7.88.1-10 curl", "libexpat1 2.5.0-1 expat"]));
  await item.getByText("is a new device with 3 packages").waitFor();
  await item.getByText("1 component could not be read", { exact: false }).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await item.getByRole("link", { name: "registry.test/shop:7" }).click();
  await page.getByRole("heading", { level: 1, name: "registry.test/shop:7" }).waitFor();
  await page.getByText("SBOM", { exact: true }).first().waitFor();
  await page.getByText("CycloneDX 1.6 by syft 1.18.1").waitFor();
  await toTab(page, /Discovered vulnerabilities/);
  await page.locator("tbody tr").first().waitFor();
  const [d] = (await read(context, demo, "/devices?source=sbom")).items;
  assert.ok(d.weaknesses > 0);
  await page.getByText(`${d.weaknesses} item`, { exact: false }).first().waitFor();
  assert.equal(d.health, "Active");
  await page.goto(`${demo.base}/devices?source=sbom`);
  await page.getByRole("row", { name: /registry\.test\/shop:7/ }).getByText("SBOM", { exact: true }).waitFor();
  await page.goto(`${demo.base}/devices?source=agent`);
  await page.getByText("Nothing matches").waitFor();
});

test("an older document is refused until it is forced, a younger one replaces", async () => {
  const before = (await read(context, demo, "/devices?source=sbom")).items[0];
  await page.goto(`${demo.base}/devices`);
  await page.getByRole("button", { name: "Import SBOM" }).click();
  let item = await upload("old.json", syft("registry.test/shop:7", "2026-11-19T09:00:00Z", ["bash 5.2.15-2 bash"]));
  await item.getByText(/Not imported: .*older/).waitFor();
  assert.equal((await read(context, demo, "/devices?source=sbom")).items[0].software, before.software);
  await panel().getByRole("checkbox", { name: /older/ }).check();
  item = await upload("old-again.json", syft("registry.test/shop:7", "2026-11-19T09:00:00Z", ["bash 5.2.15-2 bash"]));
  await item.getByText("is up to date with 1 package").waitFor();
  const [now] = (await read(context, demo, "/devices?source=sbom")).items;
  assert.equal(now.id, before.id);
  assert.equal(now.software, 1);
  item = await upload("broken.json", '{"bomFormat":"CycloneDX",\n"specVersion":"1.6",');
  await item.getByText(/line 2, column \d+/).waitFor();
  await page.keyboard.press("Escape");
  await panel().waitFor({ state: "detached" });
});

test("a downloaded document, imported under another name, has the same weaknesses", async () => {
  demo.verb("sbom", "import", "--force", file("shop2.json", syft("registry.test/shop:7", "2026-11-20T09:00:00Z", ["libc6 2.36-9 glibc", "libcurl4 7.88.1-10 curl"])));
  const [d] = (await read(context, demo, "/devices?source=sbom")).items;
  await page.goto(`${demo.base}/devices/${d.id}`);
  for (const [text, end] of [["SBOM, CycloneDX 1.6", ".cdx.json"], ["SBOM, SPDX 2.3", ".spdx.json"]]) {
    await page.getByRole("button", { name: "Download" }).click();
    const [got] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: text }).click()]);
    assert.ok(got.suggestedFilename().endsWith(end), got.suggestedFilename());
    const saved = path.join(demo.dir, got.suggestedFilename());
    await got.saveAs(saved);
    JSON.parse(readFileSync(saved, "utf8"));
    demo.verb("sbom", "import", "--name", `copy${end}`, saved);
    const copy = await until("the copy", async () => (await read(context, demo, `/devices?q=copy${end}`)).items[0]);
    const ids = async (id) => (await read(context, demo, `/devices/${id}/vulnerabilities?size=100&sort=id`)).items.map((v) => `${v.id} ${v.state}`);
    assert.deepEqual(await ids(copy.id), await ids(d.id));
    assert.ok((await ids(d.id)).length > 0);
  }
});

test("a device without an agent is removed after a look at what disappears", async () => {
  const all = (await read(context, demo, "/devices?source=sbom&sort=name")).items;
  const d = all.find((x) => x.name === "registry.test/shop:7");
  await page.goto(`${demo.base}/devices/${d.id}`);
  await page.getByRole("button", { name: "Remove" }).click();
  const ask = page.getByRole("dialog", { name: "Remove device" });
  await ask.getByText("Open weaknesses").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await ask.getByRole("button", { name: "Remove it" }).click();
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  await page.getByRole("row", { name: /copy/ }).first().waitFor();
  assert.equal(await page.getByRole("row", { name: /shop:7/ }).count(), 0);
  assert.equal((await read(context, demo, "/devices?source=sbom")).total, all.length - 1);
  assert.equal((await context.request.get(`${demo.base}/api/x/devices/${d.id}`)).status(), 404);
});

test("nothing went wrong on the pages", () => assert.deepEqual(page.wrong.filter((w) => !/status of (409|422)/.test(w)), []));
