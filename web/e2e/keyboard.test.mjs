// Walks the lists of vulnerability management by keyboard alone: a row is opened
// by Tab and Enter, its address opens it again after a reload and in a window of
// its own, Escape and Back close it, and the focus goes back to the row.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { newPage, programStarted, read, settled, signIn, startBrowser, startDemo, until } from "./harness.mjs";

let demo, browser, context, device, product;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  context = await signIn(browser, demo);
  device = await settled(context, demo);
  product = (await read(context, demo, `/devices/${device.id}/software?vulnerable=true&vendor=debian&size=1`)).items[0];
  const setting = (await read(context, demo, "/recommendations?type=ConfigurationChange&size=1")).items[0];
  const made = await context.request.post(`${demo.base}/api/x/remediations`, { headers: { origin: demo.base }, data: { recommendation_id: setting.id, type: "ConfigurationChange", priority: "Low", due: "", notes: "", groups: [], destinations: [] } });
  assert.ok(made.ok(), await made.text());
  const excepted = await context.request.post(`${demo.base}/api/x/exceptions`, { headers: { origin: demo.base }, data: { recommendation: setting.id, scope: "Global", justification: "RiskAccepted", context: "", days: 30 } });
  assert.ok(excepted.ok(), await excepted.text());
  const event = await programStarted(context, demo, device);
  const raised = await context.request.post(`${demo.base}/api/x/alerts`, { headers: { origin: demo.base }, data: { device_id: device.id, event_id: event.id, severity: "Low", title: "A program was started", description: "It was.", recommended_action: "Ask.", category: "Execution" } });
  assert.ok(raised.ok(), await raised.text());
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Name of the list, path, and whether names of rows open the row's own page instead of its flyout. */
const lists = () => {
  const d = `/devices/${device.id}`;
  const p = `/software/${encodeURIComponent(product.id)}`;
  return [
    ["Security recommendations", "/recommendations"],
    ["Security recommendations", "/recommendations?category=Accounts&sort=-exposed"],
    ["Remediation activities", "/remediation"],
    ["Exceptions", "/remediation?tab=exceptions"],
    ["Software inventory", "/software"],
    ["Weaknesses", "/weaknesses"],
    ["Security recommendations", `${d}/recommendations`],
    ["Software inventory", `${d}/software`],
    ["Discovered vulnerabilities", `${d}/vulnerabilities`],
    ["Missing updates", `${d}/updates`],
    ["Alerts", `${d}/alerts`],
    ["Alerts", "/alerts"],
    ["Version distribution", `${p}/versions`],
    ["Devices", "/devices", true],
    ["Installed devices", `${p}/devices`, true],
    ["Security recommendations", `${p}/recommendations`, true],
    ["Discovered vulnerabilities", `${p}/vulnerabilities`, true],
    ["Events", "/events"], // the last: what it takes for an event changes the other lists
  ];
};

/** Makes an event: a feed speaks for the distribution for the first time. */
function happen() {
  const file = path.join(demo.dir, "tracker.json");
  writeFileSync(file, JSON.stringify({ zlib: { "CVE-2024-90001": { releases: { bookworm: { status: "open", urgency: "not yet assigned", repositories: {} } } } } }));
  demo.verb("intel", "import", "--force", file);
}

test("every list is walked by keyboard, and its addresses hold", async (t) => {
  const page = await newPage(context);
  for (const [label, place, own] of lists()) {
    await t.test(place.replaceAll(device.id, "…"), async () => {
      if (label === "Events") happen();
      await page.goto(demo.base + place);
      const table = page.getByRole("table", { name: label, exact: true });
      await table.waitFor();
      const rows = table.locator("tbody tr[data-key]");
      await rows.first().waitFor();
      const link = rows.first().getByRole("link").first();
      const name = (await link.innerText()).trim();
      const from = page.url();
      for (let i = 0; !(await link.evaluate((e) => e === document.activeElement)); i++) {
        assert.ok(i < 150, `150 times Tab do not lead to ${name}`);
        await page.keyboard.press("Tab");
      }
      await page.keyboard.press("Enter");
      await until("the row is open", () => page.url() !== from);
      const opened = page.url();
      const shown = () => (own ? page.getByText(name).first() : page.getByRole("dialog").first()).waitFor();
      await shown();
      await page.reload();
      await shown();
      assert.equal(page.url(), opened, "the address after a reload");
      const other = await newPage(context);
      await other.goto(opened);
      await (own ? other.getByText(name).first() : other.getByRole("dialog").first()).waitFor();
      assert.deepEqual(other.wrong, []);
      await other.close();
      await page.goBack();
      await rows.first().waitFor();
      assert.equal(page.url(), from, "the address after Back");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await page.goForward();
      await shown();
      if (!own) {
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        await until("the address is the list's again", () => page.url() === from);
      }
      assert.deepEqual(page.wrong.splice(0), []);
    });
  }
  await page.close();
});
