// The poison hosts: text that a page must not run in everything that is
// collected. One is a root file system that goes through the real agent; others
// speak the agents' protocol and put a text into every string that the protocol
// can carry, whatever those are tomorrow (internal/rig/pest); others are bills of
// materials. All go through the real server to every page and export: no script
// runs, nothing breaks, and what a host says is text wherever it is seen.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { newPage, pkg, settled, signIn, startBrowser, startDemo, writeRoot } from "./harness.mjs";

const tag = `<img src=x onerror="window.picketPoisoned=1;alert(1)"><script>window.picketPoisoned=1</script>`;
const nasty = [tag, `"><svg onload=alert(1)>`, "{{7*7}}${7*7}", "=cmd|' /C calc'!A0", "\u202egnp.exe", "a\u0007b\u001b[31mred", "../../../../etc/passwd", "x".repeat(65536), "javascript:alert(1)"];
const line = (s) => s.replaceAll("\n", " ");

/** Says of every section of settings that one of their strings is empty. */
function without(field) {
  return Object.fromEntries(["sysctl", "boot", "mounts", "accounts", "auth", "sshd", "services", "files", "audit", "firewall", "system", "apps"].map((section) => [`${section}.${field}`, ""]));
}

// What a pest says truly beside its poison, so that something of it can be judged and shown.
const honest = {
  "os.id": "debian", "os.version_id": "12", "os.codename": "bookworm", "os.family": "linux",
  "kernel.package": "linux-image-6.1.0-1-amd64", "kernel.package_version": "6.1.1-1",
  ...Object.fromEntries([["dpkg", "deb", "libc6", "2.36-9", "glibc"], ["rpm", "rpm", "openssl-libs", "1:3.0.7-1.el9", "openssl"], ["apk", "apk", "busybox", "1.30.0-r0", "busybox"], ["snap", "snap", "core22", "1", ""],
    ["flatpak", "flatpak", "org.test.App", "1", ""], ["python", "pypi", "pyyaml", "5.3", ""], ["npm", "npm", "lodash", "4.17.11", ""], ["ruby", "gem", "actionview", "5.2.1", ""],
    ["golang", "golang", "stdlib", "1.19.1", ""], ["java", "maven", "commons-collections:commons-collections", "3.2.1", ""]].flatMap(([section, eco, name, version, source]) =>
    Object.entries({ eco, name, version, source, source_version: source && version, module: "", unassessed: "", origin: section === "dpkg" ? "Debian" : "" }).map(([k, v]) => [`${section}.${k}`, v]))),
  "dpkg.arch": "amd64", "updates.name": "libc6", "updates.arch": "amd64", "updates.source": "glibc", "updates.installed": "2.36-9",
  ...without("unread"),
  "restart.package": "libc6", "restart.source": "glibc", "restart.running_version": "2.36-8", "restart.installed": "2.36-9",
};

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
  // Settings that checks show as evidence.
  write("etc/ssh/sshd_config", `PermitRootLogin ${line(tag)}\nBanner ${line(tag)}\nCiphers ${line(tag)}\n`);
  write(`etc/sysctl.d/<img src=x>.conf`, `kernel.kptr_restrict = ${tag}\n`);
  write("etc/passwd", `root:x:0:0:root:/root:/bin/bash\n${tag.replaceAll(":", ";")}:x:0:0:${tag.replaceAll(":", ";")}:/:/bin/sh\n`);
}

/** Bills of materials with a text in every string that is not of the format itself. */
function poisonedDocuments(text) {
  const t = (what) => text.replaceAll("{field}", `sbom.${what}`);
  const purl = (name, version) => `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${encodeURIComponent(t("arch"))}&distro=debian-12&upstream=${encodeURIComponent(t("source"))}`;
  return {
    "poison.cdx.json": {
      bomFormat: "CycloneDX", specVersion: "1.6", serialNumber: t("serial"), version: 1,
      metadata: { timestamp: "2026-11-20T09:00:00Z", tools: { components: [{ type: "application", name: t("tool"), version: t("tool.version") }] }, component: { type: "container", name: t("subject"), version: t("subject.version") } },
      components: [
        { type: "library", name: t("name"), version: t("version"), purl: purl(t("name"), t("version")), publisher: t("publisher"), description: t("description"), "bom-ref": t("ref"), properties: [{ name: t("property"), value: t("property.value") }] },
        { type: "library", name: "libc6", version: "2.36-9", purl: "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc", publisher: t("publisher"), description: t("description"), evidence: { occurrences: [{ location: t("location") }] } },
        { type: "library", name: t("unreadable"), version: "1", purl: t("purl") },
        { type: "operating-system", name: "debian", version: "12", properties: [{ name: "syft:distro:id", value: "debian" }, { name: "syft:distro:versionID", value: "12" }, { name: "syft:distro:prettyName", value: t("os") }] },
      ],
    },
    "poison.spdx.json": {
      spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT", dataLicense: "CC0-1.0", name: t("document"), documentNamespace: t("namespace"),
      creationInfo: { created: "2026-11-20T09:00:00Z", creators: [`Tool: ${t("tool")}`, `Organization: ${t("organization")}`] },
      packages: [
        { SPDXID: "SPDXRef-a", name: t("name"), versionInfo: t("version"), supplier: `Organization: ${t("supplier")}`, summary: t("summary"), downloadLocation: t("download"), externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: `pkg:npm/${encodeURIComponent(t("npm"))}@1` }] },
        { SPDXID: "SPDXRef-b", name: "lodash", versionInfo: "4.17.11", downloadLocation: t("download"), sourceInfo: t("source-info"), externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: "pkg:npm/lodash@4.17.11" }] },
      ],
      relationships: [{ spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-a" }],
    },
  };
}

// Strings that nobody is told, and why.
const kept = [
  [/\.key$/, "tells the items of a section apart"],
  [/\.(module|channel|origin|unassessed)$/, "decides how a package is judged"],
  [/\.unread$/, "makes a check not assessed"],
  [/^os\.(id_like|machine_id|name|point|timezone|version)$/, "the pretty name is shown"],
  [/^updates\.(arch|installed|name|origin|source|suite)$/, "finds the package that the candidate is of"],
];

let demo;
let browser;
let context;
let id;
const pests = []; // what each sent
let raised; // what was made of the first one's events

/** Reads a route of the console API with the signed-in session. */
async function api(route) {
  const answer = await context.request.get(demo.base + route);
  assert.equal(answer.status(), 200, `${route}: ${answer.status()}`);
  return answer;
}

/** Sends what a person types. */
async function typed(method, route, data) {
  const answer = await context.request[method](demo.base + route, { data });
  assert.ok(answer.ok(), `${route}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

/** Pages of what was raised from the events of a pest, and of what they hold. */
async function pagesOfEvents(device) {
  const at = `/devices/${device}`;
  const routes = [`${at}/alerts`, `${at}/updates`, `${at}?center=true`, "/alerts", `/alerts?open=${raised.alert}`, `/investigations/${raised.investigation}`, "/actions", "/approvals", "/settings/audit", "/settings/indicators",
    "/settings/approvals", "/settings/permissions", "/settings/retention", "/settings/forwarding", "/settings/applications", "/settings/ticketing", "/settings/sign-in", "/settings/account", "/hunting"];
  const { items } = await (await api(`/api/x${at}/timeline?size=1000`)).json();
  const kinds = new Map(items.map((e) => [e.group, e])); // one of each group
  assert.ok(kinds.size >= 5, `events of ${[...kinds.keys()].join(", ")}`);
  routes.push(`${at}/timeline`, ...[...kinds.values()].map((e) => `${at}/timeline?open=${e.id}`));
  for (const table of ["DeviceProcessEvents", "DeviceEvents", "DeviceInfo", "AlertInfo"])
    routes.push(`/hunting?${new URLSearchParams({ query: `${table} | where DeviceId == "${device}" or "${table}" startswith "Alert" | take 100` })}`);
  for (const [kind, column] of [["user", "AccountName"], ["domain", "RemoteUrl"]])
    routes.push(`/entities/${kind}/${encodeURIComponent(`${tag}[event.${column}]`)}`);
  return routes;
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

  const send = path.join(demo.dir, "send");
  const repo = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
  execFileSync(process.env.GO ?? "go", ["build", "-o", send, "./internal/rig/pest/send"], { cwd: repo, stdio: "inherit" });
  const marked = `${tag}[{field}]`;
  for (const order of [
    { text: marked, honest, tags: [`<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, "=cmd|'!A0"] },
    ...nasty.slice(1).map((text, i) => ({ text: text.length > 60000 ? text : `${text}[{field}]`, honest: text.length > 60000 ? {} : i === 0 ? { ...honest, ...without("list") } : honest, tags: [line(text).slice(0, 40)] })),
    { text: "\u0000\u001b]0;x\u0007\u202e\ufeff{field}\r\nforged", honest: {} },
  ]) {
    const sent = JSON.parse(execFileSync(send, ["--server", server, "--ca", path.join(demo.data, "ca.pem"), "--token", demo.token()], { input: JSON.stringify(order) }));
    assert.deepEqual(sent.rejected ?? [], [], order.text.slice(0, 40));
    pests.push({ id: sent.device, strings: sent.strings });
  }
  await typed("put", "/api/x/approval-policy", { rules: [{ all_actions: false, actions: ["isolate"], all_devices: true, groups: [], hours: 24 }] });
  const at = `/api/x/devices/${pests[0].id}`;
  const { items: [event] } = await (await api(`${at}/timeline`)).json();
  const alert = await typed("post", "/api/x/alerts", { device_id: pests[0].id, event_id: event.id, severity: "High", title: marked, description: marked, recommended_action: marked, category: "Malware" });
  const investigation = await typed("post", `${at}/investigations`, { comment: marked, alert: alert.id });
  await typed("post", `${at}/actions`, { kind: "collect", comment: marked });
  await typed("post", `${at}/actions`, { kind: "isolate", comment: marked });
  await typed("post", "/api/x/indicators", { type: "DomainName", value: "evil.example", action: "Alert", title: marked, description: marked, severity: "High", recommended_actions: marked });
  await typed("post", "/api/x/hunting/queries", { name: marked, description: marked, query: "DeviceEvents", shared: true });
  raised = { alert: alert.id, investigation: investigation.id };
  for (const [name, document] of Object.entries(poisonedDocuments(marked))) {
    const file = path.join(demo.dir, name);
    writeFileSync(file, JSON.stringify(document));
    demo.verb("sbom", "import", file);
  }
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** The ids of a list of the console API. */
const ids = async (list) => (await (await api(`/api/x/${list}${list.includes("?") ? "&" : "?"}size=1000`)).json()).items.map((i) => i.id);

/** The paths of pages: of one device, with everything on it that opens. */
async function pagesOf(device, few) {
  const at = `/devices/${device}`;
  const routes = [at, `${at}?open=score`, `${at}/software`, `${at}/vulnerabilities`, `${at}/recommendations`, `/devices?open=${device}`];
  for (const s of (await ids(`devices/${device}/software`)).slice(0, few)) routes.push(`${at}/software?open=${encodeURIComponent(s)}`);
  for (const v of (await ids(`devices/${device}/vulnerabilities`)).slice(0, few)) routes.push(`${at}/vulnerabilities?open=${v}`);
  for (const r of (await ids(`devices/${device}/recommendations`)).slice(0, few)) routes.push(`${at}/recommendations?open=${encodeURIComponent(r)}`);
  return routes;
}

/** Returns what waits until everything that a page asked for is there and shown. */
function quietness(page) {
  const asked = new Set();
  page.on("request", (r) => r.resourceType() !== "eventsource" && asked.add(r));
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (r) => asked.delete(r));
  return async () => {
    for (let calm = 0; calm < 3; calm = asked.size === 0 ? calm + 1 : 0) await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 10))));
  };
}

test("no page runs what a host says", async () => {
  const page = await newPage(context);
  const quiet = quietness(page);
  const software = await (await api(`/api/x/devices/${id}/software?size=100`)).json();
  const kinds = new Set(software.items.map((s) => s.ecosystem));
  assert.ok(kinds.size >= 6, `software of ${[...kinds].join(", ")}`);
  assert.ok(software.total > 8, `${software.total} products`);
  const routes = ["/dashboard", "/recommendations", "/recommendations/plan", "/devices", "/software", "/weaknesses", "/events?days=any", "/remediation", "/remediation?tab=exceptions",
    "/settings/device-groups", "/settings/tag-rules", "/settings/intelligence", "/settings/onboarding", "/settings/inaccuracies"];
  for (const [device, few] of [[id, 10], [pests[0].id, Infinity]]) {
    assert.ok((await ids(`devices/${device}/vulnerabilities`)).length > 0, "the poison host has findings of demo intelligence");
    assert.ok((await ids(`devices/${device}/recommendations`)).length > 0, "something is recommended for the poison host");
    routes.push(...(await pagesOf(device, few)));
  }
  routes.push(...(await pagesOfEvents(pests[0].id)));
  const boms = await ids("devices?source=sbom");
  assert.equal(boms.length, 2);
  for (const device of boms) routes.push(...(await pagesOf(device, 5)));
  for (const [i, p] of pests.slice(1).entries()) routes.push(...(await pagesOf(p.id, i === 0 ? Infinity : 1)));
  for (const s of (await ids("software")).slice(0, 8)) {
    const open = encodeURIComponent(s);
    routes.push(`/software?open=${open}`, `/software/${open}`, `/software/${open}/devices`, `/software/${open}/versions`, `/software/${open}/vulnerabilities`, `/software/${open}/recommendations`, `/software/${open}/events`);
  }
  for (const v of (await ids("weaknesses")).slice(0, 5)) routes.push(`/weaknesses?open=${v}`);
  for (const r of (await ids("recommendations")).slice(0, 8)) routes.push(`/recommendations?open=${encodeURIComponent(r)}`, `/recommendations?open=${encodeURIComponent(r)}&view=devices`);
  const shown = new Set();
  const given = new Set();
  const note = (set, text) => { for (const [, field] of text.matchAll(/\[([a-z]+\.[a-z_.-]+)\]/g)) set.add(field); };
  page.on("response", (r) => { if (/\/api\/x\/(?!live)/.test(r.url())) r.text().then((t) => note(given, t), () => {}); });
  await page.goto(`${demo.base}/devices`);
  for (const route of routes) {
    // As a link does it: what is loaded once stays loaded.
    await page.evaluate((to) => { history.pushState({}, "", to); dispatchEvent(new PopStateEvent("popstate")); }, route);
    await quiet();
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    assert.equal(await page.evaluate(() => window.picketPoisoned), undefined, `a script ran on ${route}`);
    assert.equal(await page.locator("img[src=x], svg[onload]").count(), 0, `markup of the host is an element on ${route}`);
    note(shown, await page.evaluate(() => document.documentElement.outerHTML));
  }
  assert.deepEqual(page.wrong.filter((w) => !/status of 404/.test(w)), []); // users and domains of such names were met nowhere
  const hidden = pests[0].strings.filter((name) => name.includes(".") && !shown.has(name) && !given.has(name) && !kept.some(([names]) => names.test(name)));
  assert.deepEqual(hidden, [], "collected strings that neither a page nor the API showed, so that nothing of the above was proven of them: lead this test to them, or say in kept why nobody is told");
  await page.close();
});

test("exports hold the host's text as text", async () => {
  for (const list of ["devices", "recommendations", `devices/${id}/recommendations`, `devices/${id}/software`, `devices/${id}/vulnerabilities`, "software", "weaknesses", ...["software", "vulnerabilities", "recommendations"].map((list) => `devices/${pests[0].id}/${list}`)]) {
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
