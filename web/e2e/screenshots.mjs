// Makes the pictures of the README (docs/img/*.png, light and dark) from a demo
// that runs on this machine: npm run screenshots [-- FOLDER]
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { newPage, read, settled, signIn, startBrowser, startDemo, still, until } from "./harness.mjs";

const out = path.resolve(process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), "../../docs/img"));
mkdirSync(out, { recursive: true });

const demo = await startDemo({ simulated: 30 });
const browser = await startBrowser();
try {
  const context = await signIn(browser, demo);
  const device = await settled(context, demo, 3000, `?q=${hostname()}`);
  const worst = (await read(context, demo, `/devices/${device.id}/vulnerabilities?exposed=true&fix=available&sort=-severity&size=30`)).items[0];
  const base = `/devices/${device.id}`;
  // What an alert is about: a process that somebody's shell started on a simulated
  // device, so that no picture tells of the machine that it was made on.
  const alert = await until("an alert", async () => (await read(context, demo, "/alerts?sort=-severity&size=1")).items[0]);
  const alerted = `/devices/${alert.device_id}`;
  const events = (await read(context, demo, `${alerted}/timeline?action=ProcessCreated&size=200`)).items;
  const started = events.find((r) => r.entities.length > 2) ?? events[0];
  const software = (await read(context, demo, "/software?sort=-impact&size=1")).items[0];
  const shots = [
    ["dashboard", "/dashboard"],
    ["recommendations", "/recommendations"],
    ["events", "/events"],
    ["software-page", `/software/${encodeURIComponent(software.id)}`],
    ["devices", "/devices"],
    ["device", base],
    ["timeline", `${alerted}/timeline?days=1&open=${started.id}`],
    ["alerts", "/alerts"],
    ["software", `${base}/software`],
    ["vulnerabilities", `${base}/vulnerabilities`],
    ["detection-logic", `${base}/vulnerabilities?open=${worst.id}&view=logic`],
    ["weaknesses", "/weaknesses"],
    ["hunting", "/hunting", async (page) => {
      await page.getByRole("button", { name: "Run query" }).click();
      await page.getByRole("button", { name: "Run query" }).waitFor(); // it has ended
    }],
    ["intelligence", "/settings/intelligence"],
  ];
  // All other pages too, for whoever changed them: npm run screenshots -- FOLDER all
  if (process.argv[3] === "all") {
    const entities = Object.entries({ file: started.fields.SHA256, user: started.fields.AccountName }).flatMap(([kind, id]) => (id ? [`/entities/${kind}/${encodeURIComponent(id)}`] : []));
    const advice = (await read(context, demo, "/recommendations?size=1")).items[0];
    for (const where of ["/remediation", "/remediation?tab=exceptions", "/recommendations/plan", "/recommendations/plans", `/recommendations?open=${encodeURIComponent(advice.id)}`, "/software", `/weaknesses?open=${worst.id}`, `/software/${encodeURIComponent(software.id)}/versions`,
      `/software/${encodeURIComponent(software.id)}/events`, `${base}/recommendations`, "/settings/device-groups", "/settings/tag-rules", "/settings/ticketing", "/settings/inaccuracies", "/settings/audit", "/settings/onboarding", "/settings/permissions",
      "/settings/sign-in", "/settings/applications", "/settings/forwarding", `/alerts?open=${alert.id}`, `${alerted}/alerts`, "/settings/retention", "/settings/approvals", "/settings/account", "/approvals", "/actions?status=any", ...entities]) {
      shots.push([where.replaceAll(/[^a-z]+/g, "-").slice(1, 60), where]);
    }
  }
  for (const theme of ["light", "dark"]) {
    const page = await newPage(context);
    await page.addInitScript((v) => localStorage.setItem("picket-prefs", JSON.stringify({ theme: v })), theme);
    for (const [name, where, then] of shots) {
      await page.goto(demo.base + where);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForLoadState("networkidle", { timeout: 2000 }).catch(() => undefined); // the live stream keeps the network busy
      await then?.(page);
      await page.waitForTimeout(600); // answers of the last queries
      await still(page);
      await page.screenshot({ path: path.join(out, `${name}-${theme}.png`) });
      console.log(path.join(out, `${name}-${theme}.png`));
    }
    await page.close();
  }
} finally {
  await browser.close();
  await demo.stop();
}
