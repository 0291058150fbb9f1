// API applications and own tokens: made, used, turned off and deleted on the console, with programs that use them meanwhile.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import http from "node:http";
import { after, before, test } from "node:test";
import { axe, newPage, signIn, startBrowser, startDemo, still, until } from "./harness.mjs";

let demo, browser, context, page;

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

/** A token for credentials that the page shows. */
async function tokenOf(shown) {
  const text = (what) => shown.getByRole("group", { name: what, exact: true }).textContent();
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id: await text("client id"), client_secret: await text("client secret"), scope: "https://x/.default" });
  const answer = await fetch(await text("token address"), { method: "POST", body: form });
  assert.equal(answer.status, 200);
  return (await answer.json()).access_token;
}

const machines = (token) => fetch(`${demo.base}/api/machines`, { headers: { Authorization: `Bearer ${token}` } }).then((r) => r.status);

test("an application is made, used, rotated, turned off and deleted", async () => {
  await page.goto(`${demo.base}/settings/applications`);
  await page.getByText("No application yet").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await page.getByRole("button", { name: "New application" }).click();
  const panel = page.getByRole("dialog", { name: "New application" });
  await panel.getByLabel("Name").fill("SIEM collector");
  await panel.getByRole("group", { name: "Permissions", exact: true }).getByRole("checkbox", { name: /^Machine\.Read\.All/ }).check();
  await still(page);
  assert.deepEqual(await axe(page), []);
  await panel.getByRole("button", { name: "Create application" }).click();
  await panel.getByText("The secret is shown only this once.").waitFor();
  const first = await tokenOf(panel);
  assert.equal(await machines(first), 200);
  await panel.getByRole("button", { name: "I kept the secret" }).click();

  await page.getByRole("table", { name: "API applications" }).getByText("SIEM collector").click();
  const app = page.getByRole("dialog", { name: "SIEM collector" });
  await until("the calls are counted on the open panel", async () => (await app.getByText("Refused by a limit").count()) === 1 && (await app.textContent()).includes("127.0.0.1"));
  await app.getByRole("combobox", { name: "The others" }).selectOption("end at once");
  await app.getByRole("button", { name: "New secret" }).click();
  await app.getByText("The secret is shown only this once.").waitFor();
  assert.equal(await machines(first), 401);
  const second = await tokenOf(app);
  assert.equal(await machines(second), 200);
  await app.getByText("Expired").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);

  await app.getByRole("switch", { name: "Turned on" }).click();
  await app.getByRole("button", { name: "Save" }).click();
  await app.getByText("Saved. It holds for the next call.").waitFor();
  assert.equal(await machines(second), 401);
  await app.getByRole("button", { name: "Delete …" }).click();
  await app.getByRole("button", { name: "Delete SIEM collector" }).click();
  await page.getByText("No application yet").waitFor();
  assert.deepEqual(page.wrong, []);
});

test("limits are set, and the signing key is replaced", async () => {
  await page.goto(`${demo.base}/settings/applications`);
  await page.getByLabel("Calls a minute").fill("1234");
  await page.getByRole("button", { name: "Save limits" }).click();
  await until("the limit is kept", async () => (await (await context.request.get(`${demo.base}/api/x/api-settings`)).json()).per_minute === 1234);
  const keys = page.getByRole("table", { name: "Signing keys" }).getByRole("row");
  assert.equal(await keys.count(), 2);
  await page.getByRole("button", { name: "New key", exact: true }).click();
  await until("both keys are listed", async () => (await keys.count()) === 3);
  await page.getByRole("button", { name: "New key, end all tokens …" }).click();
  await page.getByRole("button", { name: "End all tokens" }).click();
  await until("one key is left", async () => (await keys.count()) === 2);
  assert.deepEqual(page.wrong, []);
});

test("a person's own token sees what the person sees, until it is deleted", async () => {
  await page.goto(`${demo.base}/settings/account`);
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByLabel("Name").fill("nightly report");
  await page.getByRole("checkbox", { name: /^Machine\.Read\.All/ }).check();
  await page.getByRole("button", { name: "Create token" }).click();
  await page.getByText("The secret is shown only this once.").waitFor();
  await still(page);
  assert.deepEqual(await axe(page), []);
  const token = await tokenOf(page);
  assert.equal(await machines(token), 200);
  const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
  assert.equal(claims.scp, "Machine.Read");
  assert.equal(claims.roles, undefined);
  await page.getByRole("button", { name: "Delete the token nightly report" }).click();
  await until("the token is gone", async () => (await machines(token)) === 401);
  assert.deepEqual(page.wrong, []);
});

test("events go to a signed webhook, and a receiver in trouble is told", async () => {
  const key = "a signing key for this test";
  const got = [];
  let status = 200;
  const receiver = http.createServer((req, res) => {
    let body = "";
    req.on("data", (b) => (body += b));
    req.on("end", () => {
      const mac = createHmac("sha256", key).update(`${req.headers["picket-timestamp"]}.${body}`).digest("hex");
      if (status === 200) got.push({ good: req.headers["picket-signature"] === `v1=${mac}`, events: JSON.parse(body).events });
      res.writeHead(status).end();
    });
  });
  await new Promise((r) => receiver.listen(0, "127.0.0.1", r));
  try {
    await page.goto(`${demo.base}/settings/forwarding`);
    await page.getByText("Nothing is forwarded").waitFor();
    await still(page);
    assert.deepEqual(await axe(page), []);
    await page.getByRole("button", { name: "Add a receiver" }).click();
    await page.getByRole("menuitem", { name: "Signed webhook" }).click();
    const form = page.getByRole("dialog", { name: "Add signed webhook" });
    await form.getByLabel("Name").fill("SIEM");
    await form.getByLabel("Address").fill(`http://127.0.0.1:${receiver.address().port}/events`);
    await form.getByLabel("Signing key").fill(key);
    await form.getByRole("checkbox", { name: /^Audit log/ }).check();
    await still(page);
    assert.deepEqual(await axe(page), []);
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Send a test to SIEM" }).click();
    await page.getByText("The test event was taken.").waitFor();
    assert.ok(got[0].good, "the signature does not hold");
    demo.verb("app", "create", "--name", "told");
    const told = await until("the audit log goes out", () => got.flatMap((g) => g.events).find((e) => e.event.action === "app create"));
    assert.equal(told.event.dataset, "picket.audit");
    assert.ok(got.every((g) => g.good));
    status = 503;
    demo.verb("app", "create", "--name", "late");
    await page.getByText("The receiver answered 503").waitFor();
    await still(page);
    assert.deepEqual(await axe(page), []);
    if (process.env.PICKET_SHOTS) await page.screenshot({ path: `${process.env.PICKET_SHOTS}/forwarding-failing.png` });
    status = 200;
    await until("what waited came", () => got.flatMap((g) => g.events).filter((e) => e.event.action === "app create").length === 2);
    await page.getByRole("button", { name: "Remove SIEM …" }).click();
    await page.getByRole("button", { name: "Remove SIEM", exact: true }).click();
    await page.getByText("Nothing is forwarded").waitFor();
    assert.deepEqual(page.wrong, []);
  } finally {
    receiver.close();
  }
});

test("pictures, when asked for", { skip: !process.env.PICKET_SHOTS }, async () => {
  for (const name of ["SIEM collector", "Ticket bridge"]) demo.verb("app", "create", "--name", name, "--permission", "Machine.Read.All,Vulnerability.Read.All,Software.Read.All");
  for (const theme of ["light", "dark"]) {
    const shot = await newPage(context);
    await shot.addInitScript((v) => localStorage.setItem("picket-prefs", JSON.stringify({ theme: v })), theme);
    for (const [name, where] of [["applications", "/settings/applications"], ["account", "/settings/account"], ["forwarding", "/settings/forwarding"], ["new", "/settings/applications?open=new"]]) {
      await shot.goto(demo.base + where);
      await shot.getByRole("heading", { level: 1 }).waitFor();
      await shot.waitForTimeout(1000);
      await shot.screenshot({ path: `${process.env.PICKET_SHOTS}/${name}-${theme}.png` });
    }
    await shot.goto(`${demo.base}/settings/applications`);
    await shot.getByText("SIEM collector").first().click();
    await shot.waitForTimeout(800);
    await shot.screenshot({ path: `${process.env.PICKET_SHOTS}/application-${theme}.png` });
    await shot.close();
  }
});
