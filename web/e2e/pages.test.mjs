// Walks every page: heading, no console error, no refusal by the policy, axe
// clean in light, dark, high contrast and forced colours, deep link and reload,
// lists that fit the window, and what is worked by keyboard alone.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { axe, newPage, programStarted, read, settled, signIn, startBrowser, startDemo, still } from "./harness.mjs";

let demo, browser, context, device, weakness, product, recommendation, activity, exception, plan, alert;
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
  await furnish();
});

async function post(path, data) {
  const r = await context.request.post(`${demo.base}/api/x${path}`, { data, headers: { origin: demo.base } });
  assert.ok(r.ok(), `POST ${path}: ${r.status()} ${await r.text()}`);
  return r.json();
}

/** What people make, so that no page is empty: none of it closes a finding or opens one. */
async function furnish() {
  const rules = [{ conditions: [{ property: "name", operator: "equals", values: ["nobody"] }] }];
  await post("/device-groups", { name: "Servers", description: "", rules });
  await post("/tag-rules", { name: "nowhere", description: "", rules });
  const setting = (await read(context, demo, "/recommendations?type=ConfigurationChange&size=1")).items[0];
  activity = await post("/remediations", { recommendation_id: setting.id, type: "ConfigurationChange", priority: "High", due: "", notes: "", groups: [], destinations: [] });
  exception = await post("/exceptions", { recommendation: setting.id, scope: "DeviceGroups", groups: [0], justification: "PlannedRemediation", context: "At the next window", days: 30 });
  const draft = await post("/plans/draft", { target: 0, recommendations: [setting.id] });
  plan = await post("/plans", { draft: draft.draft, name: "One setting" });
  const event = await programStarted(context, demo, device);
  alert = await post("/alerts", { device_id: device.id, event_id: event.id, severity: "Low", title: "A program was started", description: "Somebody started a program.", recommended_action: "Ask who it was.", category: "Execution", techniques: ["T1059"] });
  await post("/inaccuracies", { kind: "software", subject: product.id, category: "not-installed", details: "It is not there" });
}

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
    ["setting devices", `/recommendations?open=${activity.recommendation_id}&view=devices`, "Security recommendations", "Only devices without user impact"],
    ["request for a setting", `/recommendations?open=${activity.recommendation_id}&view=request`, "Security recommendations", "Only devices without user impact"],
    ["what if", "/recommendations?open=what-if", "Security recommendations", "The basket is empty"],
    ["patch plan", "/recommendations/plan", "Patch plan", "Bring the exposure score below"],
    ["saved patch plans", "/recommendations/plans", "Patch plans", "One setting"],
    ["device score", `${d}?open=score`, device.name, "What the score is made of"],
    ["device recommendations", `${d}/recommendations`, device.name, "Remediation type"],
    ["device recommendation flyout", `${d}/recommendations?open=${open}`, device.name, "What to do"],
    ["device recommendation weaknesses", `${d}/recommendations?open=${open}&view=weaknesses`, device.name, "State, fixed in"],
    ["score groups", "/scores", "Why these scores", "Ungrouped devices"],
    ["score devices", "/scores?tab=devices", "Why these scores", device.name],
    ["score checks", "/scores?tab=checks", "Why these scores", "Points"],
    ["devices", "/devices", "Devices"],
    ["device flyout", `/devices?open=${device.id}`, "Devices", "Open device page"],
    ["device overview", d, device.name, "Security assessments"],
    ["device timeline", `${d}/timeline`, device.name, "Additional information"],
    ["device timeline at another time", `${d}/timeline?days=7&event_group=Registry%20events`, device.name, "Nothing matches"],
    ["device software", `${d}/software`, device.name, "Installed version"],
    ["device software flyout", `${d}/software?open=${encodeURIComponent(product.id)}`, device.name, "Software evidence"],
    ["device vulnerabilities", `${d}/vulnerabilities`, device.name, "Published on"],
    ["device vulnerability flyout", `${d}/vulnerabilities?open=${weakness.id}`, device.name, "Description"],
    ["detection logic", `${d}/vulnerabilities?open=${weakness.id}&view=logic`, device.name, "Package records"],
    ["device configuration", `${d}/configuration`, device.name, "Not assessed"],
    ["device updates", `${d}/updates`, device.name, "CVEs addressed"],
    ["device alerts", `${d}/alerts`, device.name, alert.title],
    ["device alert flyout", `${d}/alerts?open=${alert.id}`, device.name, "Ask who it was."],
    ["alerts", "/alerts", "Alerts", alert.title],
    ["alert flyout", `/alerts?open=${alert.id}`, "Alerts", "Ask who it was."],
    ["alert evidence", `/alerts?open=${alert.id}&view=evidence`, "Alerts", "Process"],
    ["alert management", `/alerts?open=${alert.id}&view=manage`, "Alerts", "Determination"],
    ["alert history", `/alerts?open=${alert.id}&view=history`, "Alerts", "Comments and history"],
    ["hunting", "/hunting", "Hunting", "Run query"],
    ["user", "/entities/user/root", "root", "What the account did"],
    ["user events", "/entities/user/root?tab=events", "root", "What the account did"],
    ["device action center", `${d}?center=true`, device.name, "No action was submitted yet"],
    ["actions", "/actions", "Action center", "No action is going on"],
    ["actions of all times", "/actions?status=any", "Action center", "Nothing was done on devices yet"],
    ["approvals", "/approvals", "Approvals", "Nothing waits for an approval"],
    ["approvals of all times", "/approvals?tab=all", "Approvals", "Which actions need one"],
    ["software", "/software", "Software inventory"],
    ["software flyout", `/software?open=${encodeURIComponent(product.id)}`, "Software inventory", "Software details"],
    ["software devices", `/software?open=${encodeURIComponent(product.id)}&view=devices`, "Software inventory", device.os_name],
    ["software versions", `/software?open=${encodeURIComponent(product.id)}&view=versions`, "Software inventory", "Share"],
    ["weaknesses", "/weaknesses", "Weaknesses"],
    ["weakness flyout", `/weaknesses?open=${weakness.id}`, "Weaknesses", "Description"],
    ["weakness devices", `/weaknesses?open=${weakness.id}&view=devices`, "Weaknesses", "Update available"],
    ["weakness software", `/weaknesses?open=${weakness.id}&view=software`, "Weaknesses", "Update available"],
    ["events", "/events", "Event timeline", "exploitable vulnerabilities"],
    ["remediation", "/remediation", "Remediation", activity.title],
    ["remediation flyout", `/remediation?open=${activity.id}`, "Remediation", "Mark as completed"],
    ["remediation form", `/recommendations?open=${open}&view=request`, "Security recommendations", "This makes an activity"],
    ["exceptions", "/remediation?tab=exceptions", "Remediation", "In effect"],
    ["exception flyout", `/remediation?open=${exception.id}&tab=exceptions`, "Remediation", "What it is about"],
    ["exception groups", `/remediation?open=${exception.id}&tab=exceptions&view=where`, "Remediation", "Ungrouped devices"],
    ["exception form", `/recommendations?open=${open}&view=exception`, "Security recommendations", "Justification"],
    ["saved plan", `/recommendations/plans?open=${plan.id}`, "Patch plans", "Predicted and actual"],
    ["saved plan steps", `/recommendations/plans?open=${plan.id}&view=steps`, "Patch plans", "Devices left"],
    ["product", `/software/${encodeURIComponent(product.id)}`, product.name, "Exposed devices over time"],
    ["product recommendations", `/software/${encodeURIComponent(product.id)}/recommendations`, product.name, "Remediation type"],
    ["product vulnerabilities", `/software/${encodeURIComponent(product.id)}/vulnerabilities`, product.name, "Published on"],
    ["product updates", `/software/${encodeURIComponent(product.id)}/updates`, product.name, "Missing updates"],
    ["product devices", `/software/${encodeURIComponent(product.id)}/devices`, product.name, device.os_name],
    ["product versions", `/software/${encodeURIComponent(product.id)}/versions`, product.name, "Release or ecosystem"],
    ["product events", `/software/${encodeURIComponent(product.id)}/events`, product.name, "Range"],
    ["device groups", "/settings/device-groups", "Device groups", "Ungrouped devices"],
    ["tag rules", "/settings/tag-rules", "Tag rules", "nowhere"],
    ["device weights", "/settings/device-weights", "Device weights", "Weights in the exposure score"],
    ["ticketing", "/settings/ticketing", "Ticketing", "webhook"],
    ["inaccuracies", "/settings/inaccuracies", "Reported inaccuracies", "It is not there"],
    ["approval rules", "/settings/approvals", "Approvals and lockdown", "New rule"],
    ["retention", "/settings/retention", "Data retention", "Connections"],
    ["intelligence", "/settings/intelligence", "Intelligence", "Licence"],
    ["onboarding", "/settings/onboarding", "Onboarding", "Run the agent on the host"],
    ["account", "/settings/account", "My account", "High contrast"],
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

test("every page opens by its address, survives a reload, is quiet, and axe finds nothing in any theme", async (t) => {
  const page = await newPage(context);
  await page.goto(demo.base);
  await page.getByRole("heading", { level: 1 }).waitFor();
  const grounds = [];
  for (const theme of themes) grounds.push(await dress(page, theme));
  assert.equal(new Set(grounds).size, themes.length, `themes look the same: ${grounds.join(", ")}`);
  for (const p of pages()) {
    await t.test(p[0], async () => {
      await visit(page, p);
      const address = page.url();
      await page.reload();
      await page.getByRole("heading", { level: 1, name: p[2], exact: true }).waitFor();
      if (p[3]) await page.getByText(p[3]).first().waitFor();
      assert.equal(page.url(), address);
      await page.waitForFunction(() => document.title.endsWith(" · Picket"));
      assert.equal(await aside(page), "", "a list is wider than its place at 1440 pixels");
      for (const theme of themes) {
        await dress(page, theme); // panels slide in; contrast is measured when they stand
        await page.screenshot({ path: `${shots}${theme}-${p[0].replaceAll(" ", "-")}.png` });
        assert.deepEqual(await axe(page, theme === themes[0] ? undefined : ofColours), [], theme);
      }
      await dress(page, themes[0]);
      assert.deepEqual(page.wrong.splice(0), []);
    });
  }
  await page.close();
});

/** The lists of a page that have to be pushed aside to see all of their own columns. */
const aside = (page) =>
  page.getByRole("region").evaluateAll((all) => all.filter((r) => r.querySelector("thead") && r.scrollWidth > r.clientWidth).map((r) => `${r.getAttribute("aria-label")}: ${r.scrollWidth} of ${r.clientWidth}`).join(", "));

/** What the system of a page asks for; "forced" are its forced colours. A page that follows its system wears it at once. */
const systems = {
  light: { colorScheme: "light", contrast: "no-preference", forcedColors: "none" },
  dark: { colorScheme: "dark", contrast: "no-preference", forcedColors: "none" },
  contrast: { colorScheme: "dark", contrast: "more", forcedColors: "none" },
  forced: { colorScheme: "light", contrast: "no-preference", forcedColors: "active" },
};
const themes = Object.keys(systems);
const ofColours = ["color-contrast", "link-in-text-block"]; // the rules that a theme can break; the first theme is asked for all

/** Puts a theme on, waits until nothing moves, and says how the page looks. */
async function dress(page, theme) {
  await page.emulateMedia(systems[theme]);
  await still(page);
  return page.evaluate(() => `${getComputedStyle(document.body).backgroundColor} ${matchMedia("(forced-colors: active)").matches}`);
}

for (const theme of themes) test(`panels and menus are axe clean and close by Escape, ${theme}`, async () => {
  const page = await newPage(context);
  await page.emulateMedia(systems[theme]);
  for (const [path, name] of [["/devices", "Import SBOM"], ["/settings/device-groups", "New device group"], ["/settings/tag-rules", "New tag rule"]]) {
    await page.goto(demo.base + path);
    await page.getByRole("button", { name }).click();
    await page.getByRole("dialog", { name }).waitFor();
    await still(page);
    assert.deepEqual(await axe(page), [], name);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name }).waitFor({ state: "detached" });
  }
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
    await still(page); // a colour on its way from one to another is neither
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

/** Presses Tab until the focus is there. */
async function tabTo(page, target, most = 120) {
  await target.waitFor();
  for (let i = 0; i < most; i++) {
    if (await target.evaluate((e) => e === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${most} times Tab do not lead to ${target}`);
}
const focused = (page, target) => page.waitForFunction((e) => e === document.activeElement, target);

test("a plan is asked for by keyboard alone", async () => {
  const page = await newPage(context);
  await page.goto(`${demo.base}/recommendations/plan`);
  await tabTo(page, page.getByRole("spinbutton", { name: "Target score" }));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("99");
  const restart = page.getByRole("checkbox", { name: "Restart", exact: true });
  await tabTo(page, restart);
  await page.keyboard.press("Space");
  await page.waitForURL((u) => /^Update,(?!.*Restart)/.test(u.searchParams.get("types") ?? "") && u.searchParams.get("target") === "99");
  assert.equal(await restart.isChecked(), false);
  await tabTo(page, page.getByRole("button", { name: "Find the smallest plan" }));
  await page.keyboard.press("Enter");
  await page.getByText("The score is below 99 already.").waitFor();
  assert.deepEqual(page.wrong, []);
  await page.close();
});

test("an exception is read, and left as it is, by keyboard alone", async () => {
  const page = await newPage(context);
  await page.goto(`${demo.base}/remediation?tab=exceptions`);
  const link = page.getByRole("table", { name: "Exceptions" }).getByRole("link").first();
  await tabTo(page, link);
  await page.keyboard.press("Enter");
  const flyout = page.getByRole("dialog", { name: exception.name });
  await tabTo(page, flyout.getByRole("button", { name: "Cancel exception" }));
  await page.keyboard.press("Enter");
  await tabTo(page, flyout.getByRole("button", { name: "No" }));
  await page.keyboard.press("Enter");
  await flyout.getByRole("button", { name: "Yes, cancel" }).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await flyout.waitFor({ state: "detached" });
  assert.equal((await read(context, demo, `/exceptions/${exception.id}`)).status, "InEffect");
  await page.close();
});

test("a device group is made, and files are asked for, by keyboard alone; the focus comes back", async () => {
  const page = await newPage(context);
  await page.goto(`${demo.base}/settings/device-groups`);
  const make = page.getByRole("button", { name: "New device group" });
  await tabTo(page, make);
  await page.keyboard.press("Enter");
  const panel = page.getByRole("dialog", { name: "New device group" });
  await tabTo(page, panel.getByLabel("Name", { exact: true }));
  await page.keyboard.type("By keyboard");
  await tabTo(page, panel.getByLabel("Rule 1, condition 1: value"));
  await page.keyboard.type("nobody-else");
  await tabTo(page, panel.getByRole("button", { name: "Save" }));
  await page.keyboard.press("Enter");
  await panel.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "By keyboard" }).or(page.getByRole("button", { name: "By keyboard" })).first().waitFor();
  await page.goto(`${demo.base}/devices`);
  const bring = page.getByRole("button", { name: "Import SBOM" });
  await tabTo(page, bring);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Import SBOM" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Import SBOM" }).waitFor({ state: "detached" });
  await focused(page, await bring.elementHandle());
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
