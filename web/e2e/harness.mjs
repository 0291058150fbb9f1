// Starts the built server with this machine's agent and demo intelligence, and
// a browser that writes down everything that a page must not do.
//
//	PICKET_BIN     the server's binary (default ../bin/picket)
//	PICKET_CHROME  the browser (default /usr/bin/chromium)
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = path.dirname(fileURLToPath(import.meta.url));
const picket = path.resolve(process.env.PICKET_BIN ?? path.join(here, "../../bin/picket"));
const axeSource = readFileSync(path.join(here, "../node_modules/axe-core/axe.min.js"), "utf8");

/** A port of the loopback interface that is free now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const s = net.createServer();
    s.once("error", (e) => (e.code === "EADDRINUSE" ? resolve(freePort()) : reject(e)));
    s.listen(10000 + Math.floor(Math.random() * 22000), "127.0.0.1", () => { // below the ports that the kernel gives to connections
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
}

/** How long to wait, in ms, for what surely comes: never what decides a test, also on a small machine with other work. */
export const patience = Number(process.env.PICKET_PATIENCE ?? 120_000);

/** Asks again until `ask` gives something true; fails with `what` after `limit` ms. */
export async function until(what, ask, limit = patience) {
  const end = Date.now() + limit;
  for (;;) {
    const got = await ask();
    if (got) return got;
    if (Date.now() > end) throw new Error(`not within ${limit} ms: ${what}`);
    await new Promise((r) => setTimeout(r, 100));
  }
}

function ended(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
}

async function stop(child) {
  if (child.exitCode === null && child.signalCode === null) process.kill(child.pid, "SIGINT");
  const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended(child);
  clearTimeout(late);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** A running demo: its sign-in link, its data directory, further hosts, and stop. */
export async function startDemo({ agent = true, simulated = 0 } = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), "picket-e2e-"));
  const data = path.join(dir, "data");
  const args = ["demo", "--simulated", String(simulated), "--data", data, "--listen", `127.0.0.1:${await freePort()}`, "--agent-listen", `127.0.0.1:${await freePort()}`];
  if (!agent) args.push("--no-agent");
  const child = spawn(picket, args, { stdio: ["ignore", "pipe", "pipe"] });
  process.once("exit", () => child.kill("SIGTERM")); // also when the run is cut short
  let out = "";
  let err = "";
  child.stdout.on("data", (b) => (out += b));
  child.stderr.on("data", (b) => (err += b));
  const hosts = [];
  const demo = {
    data,
    dir,
    link: "",
    base: "",
    /** Runs a verb of the administrator; returns what it prints. */
    verb: (...words) => execFileSync(picket, [...words, "--data", data], { stdio: ["ignore", "pipe", "ignore"] }).toString().trim(),
    /** Makes a token that enrols one host. */
    token: () => demo.verb("enroll-token", "create"),
    /** Starts an agent on a root file system of its own: what a second host would do. */
    host(name, token, server, root) {
      const state = path.join(dir, `state-${name}`);
      const host = spawn(path.join(path.dirname(picket), "picket-agent"), ["run", "--server", server, "--ca", path.join(data, "ca.pem"), "--token", token, "--state", state, "--root", root], { stdio: "ignore" });
      hosts.push(host);
      return host;
    },
    async stop() {
      for (const h of hosts) await stop(h);
      await stop(child);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  try {
    demo.link = await until("the sign-in link on stdout", () => {
      if (child.exitCode !== null) throw new Error(`${picket} ended with ${child.exitCode}: ${err}`);
      const last = out.trim().split("\n").pop() ?? "";
      return /^http:\/\/localhost:\d+\/\S*#\S+$/.test(last) && out.endsWith("\n") ? last : "";
    });
  } catch (e) {
    await demo.stop();
    throw e;
  }
  demo.base = new URL(demo.link).origin;
  return demo;
}

/** A package of a dpkg status file. */
export const pkg = (name, version, { source = name, summary = `The ${name} package`, maintainer = "Someone <someone@example.org>" } = {}) =>
  `Package: ${name}\nStatus: install ok installed\nMaintainer: ${maintainer}\nArchitecture: amd64\nSource: ${source}\nVersion: ${version}\nDescription: ${summary}\n\n`;

/** Writes a root file system of Debian 12 with these packages. */
export function writeRoot(root, hostname, packages) {
  mkdirSync(path.join(root, "etc"), { recursive: true });
  mkdirSync(path.join(root, "var/lib/dpkg"), { recursive: true });
  writeFileSync(path.join(root, "etc/os-release"), 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n');
  writeFileSync(path.join(root, "etc/debian_version"), "12.11\n");
  writeFileSync(path.join(root, "etc/hostname"), `${hostname}\n`);
  writeFileSync(path.join(root, "var/lib/dpkg/status"), packages.join(""));
}

/** A browser with nothing but this machine to talk to. */
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.PICKET_CHROME ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A window of the browser with its own session. */
export async function newContext(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true, ...options });
  context.setDefaultTimeout(patience);
  return context;
}

/** A page and what went wrong on it. `signedOut` allows the 401 of the question who is signed in. */
export async function newPage(context, { signedOut = false } = {}) {
  const page = await context.newPage();
  const wrong = [];
  page.on("pageerror", (e) => wrong.push(`exception: ${e.message}`));
  page.on("dialog", (d) => {
    wrong.push(`dialog: ${d.message()}`);
    void d.dismiss();
  });
  page.on("console", (m) => {
    if (m.type() !== "error" && m.type() !== "warning") return;
    if (signedOut && m.text().includes("status of 401")) return;
    wrong.push(`console ${m.type()}: ${m.text()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) => console.error(`CSP: ${e.violatedDirective} refused ${e.blockedURI} at ${e.sourceFile}:${e.lineNumber}`));
  });
  page.wrong = wrong;
  return page;
}

/** Signs in by the one-time link; returns the browser's context. */
export async function signIn(browser, demo, options = {}) {
  const context = await newContext(browser, options);
  const page = await newPage(context, { signedOut: true });
  await page.goto(demo.link);
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  await page.close();
  return context;
}

// Every section that an agent sends, as the source of package inventory names them.
export const sectionNames = [...readFileSync(path.join(here, "../../internal/inventory/inventory.go"), "utf8").matchAll(/ SectionName = "(\w+)"/g)].map((m) => m[1]);

/**
 * The only device once its first inventory is in. Sections come one by one, the
 * slow ones many seconds apart, so all of them must be there; then the counts
 * must hold still for `hold` ms. A machine goes on changing after that: compare
 * with what the API says at the time, not with what this returned.
 */
export async function settled(context, demo, hold = 3000, which = "") {
  let last = "";
  let since = Date.now();
  return until(`a device with ${sectionNames.length} sections whose counts hold still`, async () => {
    const { items } = await read(context, demo, `/devices${which}`);
    const d = items[0] && (await read(context, demo, `/devices/${items[0].id}`));
    const there = d && sectionNames.every((name) => d.sections.some((s) => s.name === name));
    const now = there ? `${d.software} ${d.weaknesses} ${d.updates}` : "";
    if (now !== last) since = Date.now();
    last = now;
    return now !== "" && Date.now() - since >= hold && d;
  }, 5 * patience);
}

/**
 * An event of this machine: a program that started. It starts programs until one
 * is seen: on a quiet machine nothing else starts any once the sensors listen.
 */
export function programStarted(context, demo, device) {
  return until("a program that started", async () => {
    execFileSync("/usr/bin/true");
    return (await read(context, demo, `/devices/${device.id}/timeline?action=ProcessCreated&size=1`)).items[0];
  });
}

/** Waits until nothing slides or fades any more: what the last change set off begins a frame later, so that a few frames must pass in peace. */
export async function still(page) {
  await page.evaluate(async () => {
    const moves = (a) => a.playState === "running" && a.effect?.getComputedTiming().endTime !== Infinity;
    for (let frame = 0; frame < 3; frame++) {
      if (document.getAnimations().some(moves)) frame = -1;
      await new Promise((done) => requestAnimationFrame(done));
    }
  });
}

/** Gives the browser a colour scheme, and waits until the page has taken it on and nothing fades. */
export async function wear(page, scheme) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.waitForFunction((s) => document.documentElement.style.colorScheme === s, scheme);
  await still(page);
}

/**
 * What axe finds on the page as it is: one line per rule and place. Text in the
 * colour of its background is no violation to axe ("may be hidden on purpose");
 * here it is one. A field whose text the element before it draws is judged by that
 * element, which screen readers do not see. With rules, only those are asked.
 */
export async function axe(page, rules) {
  await page.evaluate(axeSource);
  return page.evaluate(async (rules) => {
    const drawn = [...document.querySelectorAll("[data-drawn-beneath]")].map((f) => f.previousElementSibling);
    for (const e of drawn) e.removeAttribute("aria-hidden");
    const r = await window.axe.run({ exclude: [["[data-tabster-dummy]"]] }, { resultTypes: ["violations", "incomplete"], ...(rules && { runOnly: rules }) });
    for (const e of drawn) e.setAttribute("aria-hidden", "true");
    const unseen = r.incomplete
      .filter((v) => v.id === "color-contrast")
      .map((v) => ({ ...v, nodes: v.nodes.filter((n) => n.any.some((c) => c.data?.messageKey === "equalRatio") && !document.querySelector(n.target[0])?.hasAttribute("data-drawn-beneath")) }));
    return [...r.violations, ...unseen].flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.failureSummary?.split("\n")[1]?.trim() ?? ""}`));
  }, rules);
}

/** Goes to a tab of a page: one that has no room in the row is in the menu beside it. */
export async function toTab(page, name) {
  const tab = page.getByRole("tab", { name });
  const more = page.getByRole("button", { name: "More tabs" });
  await tab.or(more).first().waitFor();
  await still(page);
  if (await tab.isVisible()) return tab.click();
  await more.click();
  return page.getByRole("menuitem", { name }).click();
}

/** Reads a path of the console API as the context's user. */
export async function read(context, demo, apiPath) {
  const r = await context.request.get(`${demo.base}/api/x${apiPath}`);
  if (!r.ok()) throw new Error(`GET ${apiPath}: ${r.status()} ${await r.text()}`);
  return r.json();
}

/** The records of a CSV text, quoted line ends included. */
export function csvRows(text) {
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
