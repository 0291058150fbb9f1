// Walks every page: heading, no console error, no refusal by the policy, axe
// clean in light, dark and high contrast, deep link and reload.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { axe, newPage, read, settled, signIn, startBrowser, startDemo, still } from "./harness.mjs";

let demo, browser, context, device, weakness, product, recommendation;
const shots = new URL("./out/", import.meta.url).pathname;

before(async () => {
  mkdirSync(shots, { recursive: true });
  demo = await startDemo();
  browser = await startBrowser();
  context = await signIn(browser, demo);
  device = await settled(context, demo);
  const vulns = await read(context, demo, `/devices/${device.id}/vulnerabilities?exposed=true&sort=-severity&size=30`);
  assert.ok(vulns.total > 0, "demo intelligence finds nothing on this machine");
  // Of the system's own packages: those stay while programs and libraries beside them come and go.
  const system = (s) => !/^(pypi|npm|maven|go|rubygems)-_-/.test(s.id);
  weakness = vulns.items.find((v) => v.software.some(system));
  assert.ok(weakness, "demo intelligence finds nothing in the system's packages of this machine");
  product = weakness.software.find(system);
  recommendation = (await read(context, demo, `/devices/${device.id}/recommendations?size=100`)).items.find((r) => system({ id: r.product_id }));
  assert.ok(recommendation, "nothing is recommended for the system's packages of this machine");
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

const pages = () => {
  const d = `/devices/${device.id}`;
  const open = encodeURIComponent(recommendation.id);
  return [
    ["dashboard", "/dashboard", "Dashboard", "Top exposed devices"],
    ["recommendations", "/recommendations", "Security recommendations"],
    ["recommendation flyout", `/recommendations?open=${open}`, "Security recommendations", "How this is computed"],
    ["recommendation devices", `/recommendations?open=${open}&view=devices`, "Security recommendations", device.os_name],
    ["recommendation weaknesses", `/recommendations?open=${open}&view=weaknesses`, "Security recommendations", "CVE-"],
    ["what if", "/recommendations?open=what-if", "Security recommendations", "The basket is empty"],
    ["patch plan", "/recommendations/plan", "Patch plan", "Bring the exposure score below"],
    ["saved patch plans", "/recommendations/plans", "Patch plans", "No plan is saved"],
    ["device score", `${d}?open=score`, device.name, "What the score is made of"],
    ["device recommendations", `${d}/recommendations`, device.name, "Remediation type"],
    ["device recommendation flyout", `${d}/recommendations?open=${open}`, device.name, "What to do"],
    ["device recommendation weaknesses", `${d}/recommendations?open=${open}&view=weaknesses`, device.name, "State, fixed in"],
    ["devices", "/devices", "Devices"],
    ["device flyout", `/devices?open=${device.id}`, "Devices", "Open device page"],
    ["device overview", d, device.name, "Security assessments"],
    ["device software", `${d}/software`, device.name, "Installed version"],
    ["device software flyout", `${d}/software?open=${encodeURIComponent(product.id)}`, device.name, "Software evidence"],
    ["device vulnerabilities", `${d}/vulnerabilities`, device.name, "Published on"],
    ["device vulnerability flyout", `${d}/vulnerabilities?open=${weakness.id}`, device.name, "Description"],
    ["detection logic", `${d}/vulnerabilities?open=${weakness.id}&view=logic`, device.name, "Package records"],
    ["software", "/software", "Software inventory"],
    ["software flyout", `/software?open=${encodeURIComponent(product.id)}`, "Software inventory", "Software details"],
    ["software devices", `/software?open=${encodeURIComponent(product.id)}&view=devices`, "Software inventory", device.os_name],
    ["software versions", `/software?open=${encodeURIComponent(product.id)}&view=versions`, "Software inventory", "Share"],
    ["weaknesses", "/weaknesses", "Weaknesses"],
    ["weakness flyout", `/weaknesses?open=${weakness.id}`, "Weaknesses", "Description"],
    ["weakness devices", `/weaknesses?open=${weakness.id}&view=devices`, "Weaknesses", "Update available"],
    ["weakness software", `/weaknesses?open=${weakness.id}&view=software`, "Weaknesses", "Update available"],
    ["events", "/events", "Event timeline", "exploitable vulnerabilities"],
    ["intelligence", "/settings/intelligence", "Intelligence", "Licence"],
    ["onboarding", "/settings/onboarding", "Onboarding", "Run the agent on the host"],
    ["account", "/settings/account", "Account", "High contrast"],
  ];
};

async function visit(page, [name, path, heading, text]) {
  await page.goto(demo.base + path);
  await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
  if (text) await page.getByText(text, { exact: false }).first().waitFor();
  else await page.locator("tbody tr").first().waitFor();
  await page.waitForLoadState("load");
  return name;
}

test("every page opens by its address, survives a reload and is quiet", async (t) => {
  const page = await newPage(context);
  for (const p of pages()) {
    await t.test(p[0], async () => {
      await visit(page, p);
      const address = page.url();
      await page.reload();
      await page.getByRole("heading", { level: 1, name: p[2], exact: true }).waitFor();
      if (p[3]) await page.getByText(p[3]).first().waitFor();
      assert.equal(page.url(), address);
      await page.waitForFunction(() => document.title.endsWith(" · Picket"));
      assert.deepEqual(page.wrong.splice(0), []);
    });
  }
  await page.close();
});

for (const theme of ["light", "dark", "contrast"]) {
  test(`axe finds nothing, ${theme}`, async (t) => {
    const page = await newPage(context);
    await page.addInitScript((v) => localStorage.setItem("picket-prefs", JSON.stringify({ theme: v })), theme);
    for (const p of pages()) {
      await t.test(p[0], async () => {
        await visit(page, p);
        await still(page); // panels slide in; contrast is measured when they stand
        await page.screenshot({ path: `${shots}${theme}-${p[0].replaceAll(" ", "-")}.png` });
        assert.deepEqual(await axe(page), []);
      });
    }
    await page.close();
  });
}

for (const theme of ["light", "dark", "contrast"]) test(`panels and menus are axe clean and close by Escape, ${theme}`, async () => {
  const page = await newPage(context);
  await page.addInitScript((v) => localStorage.setItem("picket-prefs", JSON.stringify({ theme: v })), theme);
  await page.goto(`${demo.base}/weaknesses`);
  await page.locator("tbody tr").first().waitFor();
  for (const name of ["Filter", "Customize columns"]) {
    await page.getByRole("button", { name, exact: true }).click();
    await page.getByRole("dialog", { name }).waitFor();
    await still(page);
    assert.deepEqual(await axe(page), [], name);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name }).waitFor({ state: "detached" });
  }
  for (const name of ["Export", /^Account of/]) {
    await page.getByRole("button", { name }).click();
    await page.getByRole("menu").waitFor();
    assert.deepEqual(await axe(page), [], String(name));
    await page.keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "detached" });
  }
  await page.getByRole("button", { name: "Help" }).click();
  await page.getByRole("dialog", { name: "Help" }).waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(page.wrong, []);
  await page.close();
});

test("an address that leads nowhere says so", async () => {
  const page = await newPage(context);
  await page.goto(`${demo.base}/nothing/here`);
  await page.getByText("There is nothing at this address").waitFor();
  assert.deepEqual(await axe(page), []);
  await page.close();
});

test("the policy of a page has a nonce and nothing unsafe", async () => {
  const r = await context.request.get(`${demo.base}/devices`);
  const csp = r.headers()["content-security-policy"] ?? "";
  assert.match(csp, /style-src 'self' 'nonce-[A-Z2-7]+'/);
  assert.match(csp, /require-trusted-types-for 'script'/);
  assert.doesNotMatch(csp, /unsafe/);
  assert.match(await r.text(), /<div id="root">/);
  const api = await context.request.get(`${demo.base}/api/x/nothing-here`);
  assert.equal(api.status(), 404);
  assert.doesNotMatch(api.headers()["content-type"] ?? "", /html/);
});
