// VEX documents in the browser: what was imported, what came of each statement,
// the exceptions with their way back to the document, and what removal brings back.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, newPage, read, signIn, startBrowser, startDemo, still, until } from "./harness.mjs";

let demo, browser, context, page, device, weak;

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  page = await newPage(context);
  const packages = ["libc6 2.36-9 glibc", "libcurl4 7.88.1-10 curl", "libexpat1 2.5.0-1 expat"].map((p) => p.split(" "));
  const sbom = path.join(demo.dir, "shop.json");
  writeFileSync(sbom, JSON.stringify({
    bomFormat: "CycloneDX", specVersion: "1.6", metadata: { timestamp: "2026-11-20T09:00:00Z", tools: { components: [{ type: "application", name: "syft" }] }, component: { type: "container", name: "shop" } },
    components: packages.map(([name, version, source]) => ({ type: "library", name, version, purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=amd64&distro=debian-12&upstream=${source}` })),
  }));
  demo.verb("sbom", "import", sbom);
  device = await until("the device", async () => (await read(context, demo, "/devices")).items[0]);
  weak = (await read(context, demo, `/devices/${device.id}/vulnerabilities?exposed=true&size=100&sort=id`)).items;
  assert.ok(weak.length > 3, "the demo's intelligence finds too little");
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const openvex = (made, statements) => JSON.stringify({
  "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://vendor.test/vex/7", author: "Vendor <security@vendor.test>", timestamp: made, version: 1,
  statements: statements.map(([name, status, product, justification]) => ({ vulnerability: { name }, status, products: [{ "@id": product }], ...(justification && { justification }), ...(status === "affected" && { action_statement: "Update it." }) })),
});
const purl = (w) => `pkg:deb/debian/${w.software[0].id.replace("debian-_-", "")}?arch=source&distro=debian-12`;
const panel = () => page.getByRole("dialog", { name: "Import VEX" });
const upload = async (name, text) => {
  const at = path.join(demo.dir, name);
  writeFileSync(at, text);
  await panel().getByLabel("Files to import").setInputFiles(at);
  const item = panel().getByRole("list", { name: "Imported files" }).getByRole("listitem").filter({ hasText: name });
  await item.waitFor();
  return item;
};
const cell = async (title) => {
  const at = (await page.locator("thead th").allInnerTexts()).findIndex((t) => t.trim() === title);
  return (await page.locator("tbody tr").first().locator("th,td").nth(at).innerText()).trim();
};

test("a document from the browser: what it came to, and clear errors", async () => {
  await page.goto(`${demo.base}/remediation/vex`);
  await page.getByText("No VEX documents").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.getByRole("button", { name: "Import VEX" }).first().click();
  await (await upload("broken.json", '{"@context":"https://openvex.dev/ns/v0.2.0",\n"@id":')).getByText(/Not imported: .*line 2, column \d+/).waitFor();
  await (await upload("sbom.json", '{"bomFormat":"CycloneDX","specVersion":"1.6"}')).getByText(/Not imported/).waitFor();
  const item = await upload("vendor.json", openvex("2026-11-21T09:00:00Z", [
    [weak[0].id, "not_affected", purl(weak[0]), "vulnerable_code_not_present"],
    [weak[1].id, "affected", purl(weak[1])],
    [weak[2].id, "not_affected", "pkg:deb/debian/nowhere", "component_not_present"],
    ["CVE-1999-0001", "fixed", "pkg:deb/debian/bash"],
  ]));
  await item.getByText("4 statements: 1 applied, 1 no exception, 2 not matched.", { exact: false }).waitFor();
  await item.getByText("1 exception holds because of it.", { exact: false }).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await (await upload("older.json", openvex("2026-11-20T09:00:00Z", []))).getByText(/Not imported: .*older/).waitFor();
  await page.keyboard.press("Escape");
  await panel().waitFor({ state: "detached" });
  await page.getByRole("row", { name: /vendor\.test/ }).waitFor();
  assert.deepEqual([await cell("Statements"), await cell("Applied"), await cell("Not matched"), await cell("Exceptions")], ["4", "1", "2", "1"]);
});

test("its statements say what came of each and why", async () => {
  await page.locator("tbody").getByRole("link", { name: "https://vendor.test/vex/7" }).click();
  const flyout = page.getByRole("dialog", { name: "https://vendor.test/vex/7" });
  await flyout.getByText("Exceptions that hold").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await flyout.getByRole("tab", { name: "Statements" }).click();
  await flyout.getByText("4 statements", { exact: true }).waitFor();
  await flyout.getByText("no device has the weakness in this product and version").waitFor();
  await flyout.getByText("no device has the weakness", { exact: true }).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await flyout.getByLabel("What came of it").selectOption("Applied");
  await flyout.getByText("1 statement", { exact: true }).waitFor();
  await flyout.getByRole("link", { name: weak[0].id }).waitFor();
  const [got] = await Promise.all([page.waitForEvent("download"), flyout.getByRole("link", { name: "Download" }).click()]);
  const saved = path.join(demo.dir, "back.json");
  await got.saveAs(saved);
  assert.equal(readFileSync(saved, "utf8"), readFileSync(path.join(demo.dir, "vendor.json"), "utf8"));
});

test("an exception shows its document, and the document its exceptions", async () => {
  await page.getByRole("dialog").getByRole("link", { name: "Show its exceptions" }).click();
  await page.getByRole("link", { name: new RegExp(weak[0].id) }).first().waitFor();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.getByText("VEX document", { exact: false }).first().waitFor();
  await page.getByRole("link", { name: new RegExp(`${weak[0].id} in`) }).click();
  const flyout = page.getByRole("dialog", { name: new RegExp(weak[0].id) });
  await flyout.getByText(/Debian:12\//).waitFor();
  await flyout.getByRole("link", { name: "https://vendor.test/vex/7" }).click();
  await page.getByRole("dialog", { name: "https://vendor.test/vex/7" }).getByText("Exceptions that hold").waitFor();
});

test("removal says what comes back, and then it does", async () => {
  const excepted = async () => (await read(context, demo, `/weaknesses/${weak[0].id}`)).exposed_after;
  assert.equal(await excepted(), 0);
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  const ask = page.getByRole("group", { name: "Remove this document" });
  await ask.getByText("1 exception ends.").waitFor();
  await ask.getByText(`1 finding of ${weak[0].id} on 1 device counts again.`).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await ask.getByRole("button", { name: "Yes, remove it" }).click();
  await page.getByText("No VEX documents").waitFor();
  assert.equal(await excepted(), 1);
});

test("statements go out per device and per device group, in three formats", async () => {
  const files = async (open) => {
    const out = [];
    for (const text of ["VEX, OpenVEX 0.2.0", "VEX, CSAF 2.0", "VEX, CycloneDX 1.6"]) {
      await open();
      const [got] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: text }).click()]);
      const saved = path.join(demo.dir, got.suggestedFilename());
      await got.saveAs(saved);
      const body = readFileSync(saved, "utf8");
      JSON.parse(body);
      assert.ok(weak.every((w) => body.includes(w.id)), `${text} leaves out findings`);
      out.push(got.suggestedFilename());
    }
    return out;
  };
  await page.goto(`${demo.base}/devices/${device.id}`);
  const own = await files(() => page.getByRole("button", { name: "Download" }).click());
  assert.equal(new Set(own).size, 3);
  await page.goto(`${demo.base}/settings/device-groups`);
  const groups = await files(() => page.getByRole("button", { name: /: download VEX$/ }).first().click());
  assert.ok(groups.every((f) => f.startsWith("device_group_")), String(groups));
  await page.goto(`${demo.base}/remediation?tab=vex`);
  await files(() => page.getByRole("button", { name: "Download VEX" }).click());
});

test("nothing went wrong on the pages", () => assert.deepEqual(page.wrong.filter((w) => !/status of (409|422)/.test(w)), []));
