// Applications that act for people: a program with a real HTTP client asks, a person answers on the console, by code and by device.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { axe, newContext, newPage, signIn, startBrowser, startDemo, still, until, wear } from "./harness.mjs";

let demo, browser, context, page, app, listener, back;
const came = [];

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  page = await newPage(context);
  listener = createServer((req, res) => {
    if (req.url.startsWith("/back")) came.push(new URL(req.url, back));
    res.setHeader("Content-Type", "text/html").end("<!doctype html><title>Desk</title><h1>Welcome back</h1>");
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  back = `http://127.0.0.1:${listener.address().port}/back`;
  const r = await context.request.post(`${demo.base}/api/x/applications`, {
    data: { name: "Desk", permissions: [], public: true, redirects: ["http://127.0.0.1/back"], delegated: ["Machine.Read.All", "Software.Read.All"], device_code: true },
  });
  assert.equal(r.status(), 201, await r.text());
  app = (await r.json()).client_id;
});

after(async () => {
  await browser?.close();
  listener?.closeAllConnections();
  listener?.close();
  await demo?.stop();
});

const post = async (path, form) => (await fetch(`${demo.base}${path}`, { method: "POST", body: new URLSearchParams({ client_id: app, ...form }) })).json();
const machines = (token) => fetch(`${demo.base}/api/machines`, { headers: { Authorization: `Bearer ${token}` } }).then((r) => r.status);

test("a person signs in, lets an application act, and ends it", async () => {
  const verifier = randomBytes(32).toString("base64url");
  const ask = new URLSearchParams({ client_id: app, redirect_uri: back, response_type: "code", scope: "Machine.Read offline_access", state: "xyz", code_challenge_method: "S256",
    code_challenge: createHash("sha256").update(verifier).digest("base64url") });
  const metadata = await (await fetch(`${demo.base}/.well-known/oauth-authorization-server`)).json();
  const fresh = await newContext(browser);
  const out = await newPage(fresh, { signedOut: true });
  await out.goto(`${metadata.authorization_endpoint}?${ask}`);
  await out.waitForURL(/\/login\?next=/);
  await out.close();
  await page.goto(`${metadata.authorization_endpoint}?${ask}`);
  await page.getByRole("heading", { name: "Let Desk act for you?" }).waitFor();
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    await still(page);
    assert.deepEqual(await axe(page), []);
    await page.screenshot({ path: new URL(`out/consent-${scheme}.png`, import.meta.url).pathname });
  }
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Allow" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Welcome back" }).waitFor();
  const got = came.at(-1).searchParams;
  assert.equal(got.get("state"), "xyz");
  assert.equal(got.get("iss"), metadata.issuer);
  const tokens = await post("/oauth2/v2.0/token", { grant_type: "authorization_code", code: got.get("code"), redirect_uri: back, code_verifier: verifier });
  assert.equal(await machines(tokens.access_token), 200, JSON.stringify(tokens));
  await page.goto(`${demo.base}/settings/account`);
  const mine = page.getByRole("table", { name: "Applications that act for you" });
  await mine.getByText("Machine.Read").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.screenshot({ path: new URL("out/consent-account.png", import.meta.url).pathname, fullPage: true });
  await mine.getByRole("button", { name: "End what Desk does" }).click();
  await page.getByText("None acts for you.").waitFor();
  assert.equal(await machines(tokens.access_token), 401);
  assert.deepEqual(page.wrong, []);
});

test("a person says no, and an application that is not registered sends nobody on", async () => {
  const ask = new URLSearchParams({ client_id: app, redirect_uri: back, response_type: "code", scope: "Machine.Read", state: "s", code_challenge_method: "S256", code_challenge: "x".repeat(43) });
  await page.goto(`${demo.base}/oauth2/v2.0/authorize?${ask}`);
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByRole("heading", { name: "Welcome back" }).waitFor();
  assert.equal(came.at(-1).searchParams.get("error"), "access_denied");
  ask.set("redirect_uri", "https://evil.example/");
  await page.goto(`${demo.base}/oauth2/v2.0/authorize?${ask}`);
  await page.getByRole("heading", { name: "This cannot go on" }).waitFor();
  assert.equal(new URL(page.url()).origin, demo.base);
});

test("a device is let in by the code that it shows", async () => {
  const device = await post("/oauth2/v2.0/devicecode", { scope: ".default offline_access" });
  await page.goto(device.verification_uri);
  await page.getByLabel("Code that the device shows").fill("BBBB-BBBB");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText("is not one that a device shows now").waitFor();
  await page.getByLabel("Code that the device shows").fill(device.user_code.toLowerCase());
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText("A device at 127.0.0.1 asks.").waitFor();
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    await still(page);
    assert.deepEqual(await axe(page), []);
    await page.screenshot({ path: new URL(`out/device-${scheme}.png`, import.meta.url).pathname });
  }
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByRole("heading", { name: "The device is let in" }).waitFor();
  const tokens = await until("the device has a token", async () => {
    const t = await post("/oauth2/v2.0/token", { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: device.device_code });
    return t.access_token ? t : undefined;
  });
  assert.equal(await machines(tokens.access_token), 200);
});

test("an administrator registers such an application, and sees whom it acts for", async () => {
  await page.goto(`${demo.base}/settings/applications`);
  await page.getByRole("button", { name: "New application" }).click();
  const panel = page.getByRole("dialog", { name: "New application" });
  await panel.getByLabel("Name").fill("Phone");
  await panel.getByRole("checkbox", { name: /^Public/ }).check();
  await panel.getByRole("checkbox", { name: /^Machine\.Read\.All/ }).check();
  await panel.getByLabel("Addresses that people are sent back to").fill("com.example.phone:/back");
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.screenshot({ path: new URL("out/consent-register.png", import.meta.url).pathname });
  await panel.getByRole("button", { name: "Create application" }).click();
  await panel.getByRole("button", { name: "Done" }).click();
  await page.getByRole("table", { name: "API applications" }).getByText("Desk").click();
  const desk = page.getByRole("dialog", { name: "Desk" });
  await desk.getByRole("table", { name: "People it acts for" }).getByText("admin").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
});

test("the command line signs in by a code, asks as its person, and signs out", async () => {
  const picket = path.resolve(process.env.PICKET_BIN ?? new URL("../../bin/picket", import.meta.url).pathname);
  const dir = mkdtempSync(path.join(tmpdir(), "picket-login-"));
  const file = path.join(dir, "login.json");
  const env = { ...process.env, PICKET_LOGIN: file, PICKET_DATA: "", PICKET_URL: "", PICKET_CLIENT_ID: "" };
  const login = spawn(picket, ["login", "--url", demo.base, "--client-id", app], { env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  login.stderr.on("data", (d) => (said += d));
  const code = await until("a code is shown", () => /enter the code (\S+)/.exec(said)?.[1]);
  const r = await context.request.post(`${demo.base}/api/x/me/device`, { data: { code, allow: true } });
  assert.equal(r.status(), 204, await r.text());
  assert.equal((await once(login, "exit"))[0], 0, said);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(execFileSync(picket, ["devices"], { env, encoding: "utf8" }), /^ID +NAME/);
  execFileSync(picket, ["logout"], { env });
  assert.throws(() => execFileSync(picket, ["devices"], { env, stdio: "pipe" }), /picket login/);
  rmSync(dir, { recursive: true });
});
