// The poison host: a root file system that holds markup, control characters,
// path tricks and endless names in everything that is collected. It goes
// through the real agent and server to every page and export; no script runs,
// nothing breaks, and the other host's answers stay as they are.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { newPage, pkg, settled, signIn, startBrowser, startDemo, writeRoot } from "./harness.mjs";

const tag = `<img src=x onerror="window.picketPoisoned=1;alert(1)"><script>window.picketPoisoned=1</script>`;
const nasty = [tag, `"><svg onload=alert(1)>`, "{{7*7}}${7*7}", "=cmd|' /C calc'!A0", "\u202egnp.exe", "a\u0007b\u001b[31mred", "../../../../etc/passwd", "x".repeat(65536), "javascript:alert(1)"];
const line = (s) => s.replaceAll("\n", " ");

/** Writes the poison host below root. */
function writePoison(root) {
  const packages = nasty.map((text, i) => pkg(`poison${i}`, "1.0-1", { summary: line(text), maintainer: line(text) }));
  packages.push(`Package: ${line(tag)}\nStatus: install ok installed\nArchitecture: ${line(tag)}\nVersion: ${line(tag)}\nDescription: x\n\n`);
  packages.push(pkg("glibc-poison", "2.36-9", { source: "glibc" }));
  writeRoot(root, line(tag).slice(0, 200), packages);
  writeFileSync(path.join(root, "etc/os-release"), `ID=debian\nVERSION_ID="12"\nNAME="${tag.replaceAll('"', "'")}"\nPRETTY_NAME="${tag.replaceAll('"', "'")}"\nVERSION_CODENAME=bookworm\n`);
  const write = (name, text) => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  };
  write("etc/hosts", `127.0.1.1 ${line(tag)}.example ${line(tag)}\n`);
  write("etc/timezone", `${tag}\n`);
  write("usr/lib/node_modules/evil/package.json", JSON.stringify({ name: tag, version: `1.0.0"><script>alert(1)</script>`, description: tag }));
  write(`usr/lib/node_modules/${encodeURIComponent("<b>")}/package.json`, JSON.stringify({ name: "lodash", version: "4.17.11", description: tag }));
  write("usr/lib/python3/dist-packages/evil-1.dist-info/METADATA", `Metadata-Version: 2.1\nName: ${line(tag)}\nVersion: 1.0\nSummary: ${line(tag)}\n\n${tag}`);
  write("var/lib/gems/3.1.0/specifications/evil-1.gemspec", `  s.name = '${tag}'.freeze\n  s.version = '${tag}'\n`);
  write("lib/apk/db/installed", `P:${tag}\nV:${tag}\nA:${tag}\no:${tag}\nm:${tag}\nT:${tag}\n\n`);
  write(`snap/evil/1/meta/snap.yaml`, `name: evil\nversion: ${tag}\nsummary: ${tag}\n`);
  write("var/lib/snapd/snaps/evil_1.snap", "");
  write("var/lib/snapd/state.json", JSON.stringify({ data: { snaps: { evil: { current: "1", "tracking-channel": tag } } } }));
  write(`var/lib/flatpak/app/<img src=x onerror=alert(1)>/x86_64/<b>stable/active/deploy`, `appdata-version\0\0${tag}\0s`);
  // What apt would upgrade, and a repository that calls itself names.
  write("var/lib/apt/lists/evil_dists_x_InRelease", `Origin: ${tag}\nLabel: ${tag}\nSuite: ${tag}-security\nCodename: ${tag}\n`);
  write("var/lib/apt/lists/evil_dists_x_main_binary-amd64_Packages", `Package: poison0\nArchitecture: amd64\nVersion: 2.0-1\nSource: ${tag}\n\n`);
}

let demo;
let browser;
let context;
let id;

/** Reads a route of the console API with the signed-in session. */
async function api(route) {
  const answer = await context.request.get(demo.base + route);
  assert.equal(answer.status(), 200, `${route}: ${answer.status()}`);
  return answer;
}

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const root = path.join(demo.dir, "poison");
  writePoison(root);
  const { server_url: server } = await (await api("/api/x/onboarding")).json();
  demo.host("poison", demo.token(), server, root);
  ({ id } = await settled(context, demo));
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("no page runs what a host says", async () => {
  const page = await newPage(context);
  const software = await (await api(`/api/x/devices/${id}/software?size=100`)).json();
  const vulns = await (await api(`/api/x/devices/${id}/vulnerabilities?size=100`)).json();
  const kinds = new Set(software.items.map((s) => s.ecosystem));
  assert.ok(kinds.size >= 6, `software of ${[...kinds].join(", ")}`);
  assert.ok(software.total > 8, `${software.total} products`);
  assert.ok(vulns.total > 0, "the poison host has findings of demo intelligence");
  const recommendations = await (await api(`/api/x/devices/${id}/recommendations?size=100`)).json();
  assert.ok(recommendations.total > 0, "something is recommended for the poison host");
  const routes = ["/dashboard", "/recommendations", `/devices/${id}/recommendations`, `/devices/${id}?open=score`, "/devices", `/devices?open=${id}`, `/devices/${id}`, `/devices/${id}/software`, `/devices/${id}/vulnerabilities`, "/software", "/weaknesses", "/events?days=any", "/settings/intelligence", "/settings/onboarding"];
  for (const s of software.items) routes.push(`/devices/${id}/software?open=${encodeURIComponent(s.id)}`, `/software?open=${encodeURIComponent(s.id)}`);
  for (const v of vulns.items.slice(0, 3)) routes.push(`/devices/${id}/vulnerabilities?open=${v.id}`, `/weaknesses?open=${v.id}`);
  for (const r of recommendations.items) {
    const open = encodeURIComponent(r.id);
    routes.push(`/devices/${id}/recommendations?open=${open}`, `/recommendations?open=${open}`, `/recommendations?open=${open}&view=devices`);
  }
  for (const route of routes) {
    await page.goto(demo.base + route);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("load");
    assert.equal(await page.evaluate(() => window.picketPoisoned), undefined, `a script ran on ${route}`);
    assert.equal(await page.locator("img[src=x], svg[onload]").count(), 0, `markup of the host is an element on ${route}`);
  }
  assert.deepEqual(page.wrong, []);
  await page.close();
});

test("exports hold the host's text as text", async () => {
  for (const list of ["devices", "recommendations", `devices/${id}/recommendations`, `devices/${id}/software`, `devices/${id}/vulnerabilities`, "software", "weaknesses"]) {
    const csv = await api(`/api/x/${list}/export?format=csv`);
    assert.match(csv.headers()["content-disposition"] ?? "", /^attachment/);
    assert.equal(csv.headers()["x-content-type-options"], "nosniff");
    for (const row of (await csv.text()).split("\r\n")) assert.ok(!/(^|,)"?[=+@]/.test(row), `a cell of ${list} is a formula: ${row.slice(0, 120)}`);
    const { total } = await (await api(`/api/x/${list}`)).json();
    const lines = (await (await api(`/api/x/${list}/export?format=jsonl`)).text()).trim().split("\n").filter(Boolean);
    assert.equal(lines.length, total, `rows of the export of ${list}`);
    lines.forEach((l) => JSON.parse(l));
  }
});

test("what is kept of the host is bounded", async () => {
  const software = await (await api(`/api/x/devices/${id}/software?size=100`)).json();
  for (const s of software.items) {
    assert.ok(s.name.length <= 1024 && s.version.length <= 1024, `${s.name.slice(0, 40)} is ${s.name.length} long`);
    assert.match(s.id, /^[A-Za-z0-9._+~:%-]+$/);
    const one = await (await api(`/api/x/devices/${id}/software/${encodeURIComponent(s.id)}`)).json();
    for (const p of one.packages) assert.ok(p.summary.length <= 4096 && p.vendor.length <= 4096, `${p.name.slice(0, 40)}: text of ${p.summary.length} and ${p.vendor.length}`);
  }
});
