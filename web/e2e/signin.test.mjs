// Second factors, passkeys and sessions in a real browser, and what the page's
// policy refuses.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { axe, newContext, newPage, read, signIn, startBrowser, startDemo, until } from "./harness.mjs";

let demo, browser, context, page, secret, recovery;
const password = "correct horse battery staple";

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

/** What an authenticator app shows at a time (RFC 6238). */
function code(secretText, at = Date.now()) {
  const bits = [...secretText.replaceAll(" ", "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac("sha1", key).update(step).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, "0");
}

/** A code of a step that was not used yet. */
let lastStep = 0;
async function freshCode(secretText) {
  await until("a fresh step", () => Math.floor(Date.now() / 30_000) + 1 > lastStep);
  lastStep = Math.max(lastStep + 1, Math.floor(Date.now() / 30_000));
  return code(secretText, lastStep * 30_000);
}

const card = (name) => page.getByRole("region", { name });

async function withPassword(p) {
  await p.goto(`${demo.base}/login`);
  await p.getByLabel("User name").fill("admin");
  await p.getByLabel("Password").fill(password);
  await p.getByRole("button", { name: "Sign in", exact: true }).click();
}

test("an inline script is refused, and so is text as markup", async () => {
  const p = await newPage(context);
  await p.goto(`${demo.base}/settings/account`);
  await p.getByRole("heading", { level: 1, name: "My account" }).waitFor();
  const got = await p.evaluate(async () => {
    const code = await new Promise((told) => {
      setTimeout(() => { // out of the debugger's own right to evaluate
        try {
          told((0, eval)("window.ran = true") ? "it ran" : "");
        } catch (e) {
          told(e.name);
        }
      });
    });
    const script = document.createElement("script");
    let typed = "";
    try {
      script.text = "window.ran = true";
    } catch (e) {
      typed = e.name;
    }
    script.append(document.createTextNode("window.ran = true"));
    document.body.append(script);
    let markup = "";
    try {
      document.createElement("div").innerHTML = "<img src=x onerror='window.ran = true'>";
    } catch (e) {
      markup = e.name;
    }
    let policy = "";
    try {
      window.trustedTypes.createPolicy("default", { createHTML: (s) => s });
    } catch (e) {
      policy = e.name;
    }
    return { ran: window.ran === true, typed, markup, code, policy };
  });
  assert.deepEqual(got, { ran: false, typed: "TypeError", markup: "TypeError", code: "EvalError", policy: "TypeError" });
  assert.ok(p.wrong.some((w) => /script-src|trusted|require-trusted-types-for/.test(w)), p.wrong.join("\n"));
  // As it would come in from the server: in the page itself, without this page's nonce.
  await p.route("**/login", async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace("</body>", '<script>window.ran = true</script><script nonce="guess">window.ran = true</script><img src="x" onerror="window.ran = true"></body>');
    await route.fulfill({ response: answer, body });
  });
  await p.goto(`${demo.base}/login`);
  await p.waitForLoadState("networkidle");
  assert.equal(await p.evaluate(() => window.ran === true), false);
  await p.close();
});

test("the cookie of a session cannot be read by scripts and goes to no other site", async () => {
  const [c] = (await context.cookies()).filter((x) => x.name.endsWith("picket_session"));
  assert.equal(c.httpOnly, true);
  assert.equal(c.sameSite, "Strict");
  await page.goto(`${demo.base}/settings/account`);
  assert.equal(await page.evaluate(() => document.cookie), "");
});

test("an authenticator app is set up by its secret, and recovery codes are shown once", async () => {
  await page.goto(`${demo.base}/settings/account`);
  await page.getByLabel(/^New password\s*\*?$/).fill(password);
  await page.getByLabel("New password again").fill(password);
  await page.getByRole("button", { name: "Set password" }).click();
  await page.getByText("The password is set").waitFor();
  await card("Authenticator app").getByRole("button", { name: "Set up" }).click();
  await card("Authenticator app").getByRole("button", { name: "Continue" }).click();
  await page.getByRole("img", { name: /QR code/ }).waitFor();
  secret = (await page.getByRole("group", { name: "secret" }).innerText()).trim();
  assert.deepEqual(await axe(page), []);
  await page.getByRole("textbox", { name: "Code" }).fill("000000");
  await page.getByRole("button", { name: "Turn on" }).click();
  await page.getByText(/is not the code/).waitFor();
  page.wrong.splice(0); // the refusal above
  await page.getByRole("textbox", { name: "Code" }).fill(await freshCode(secret));
  await page.getByRole("button", { name: "Turn on" }).click();
  const box = page.getByRole("group", { name: "recovery codes" });
  await box.waitFor();
  recovery = (await box.innerText()).trim().split("\n");
  assert.equal(recovery.length, 10);
  assert.equal(new Set(recovery).size, 10);
  await page.getByRole("button", { name: "I have kept them" }).click();
  await card("Authenticator app").getByText("10 of 10 recovery codes are left.").waitFor();
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(page.wrong, []);
});

test("the password alone opens nothing; the code does, once", async () => {
  const other = await newContext(browser);
  const p = await newPage(other, { signedOut: true });
  await withPassword(p);
  await p.getByRole("heading", { level: 1, name: "One more step" }).waitFor();
  assert.equal((await other.request.get(`${demo.base}/api/x/session`)).status(), 401);
  assert.deepEqual(await axe(p), []);
  await p.getByRole("textbox", { name: "Code" }).fill("123456");
  await p.getByRole("button", { name: "Sign in" }).click();
  await p.getByText(/This code is wrong/).waitFor();
  const good = await freshCode(secret);
  await p.getByRole("textbox", { name: "Code" }).fill(good);
  await p.getByRole("button", { name: "Sign in" }).click();
  await p.getByRole("heading", { level: 1, name: "Devices" }).waitFor();

  const third = await newContext(browser);
  const q = await newPage(third, { signedOut: true });
  await withPassword(q);
  await q.getByRole("textbox", { name: "Code" }).fill(good);
  await q.getByRole("button", { name: "Sign in" }).click();
  await q.getByText(/This code is wrong, or was used already/).waitFor();
  await q.getByRole("button", { name: "Use a recovery code" }).click();
  await q.getByLabel("Recovery code").fill(recovery[3]);
  await q.getByRole("button", { name: "Sign in" }).click();
  await q.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  const methods = (await read(third, demo, "/me/sessions")).map((s) => s.method);
  assert.ok(methods.includes("password and recovery code") && methods.includes("password and one-time code"), methods.join());
  assert.equal((await read(third, demo, "/me/factors")).recovery_left, 9);
  await other.close();
  await third.close();
});

test("a passkey is registered, signs in alone, and stands in for the code", async () => {
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await page.goto(`${demo.base}/settings/account`);
  await card("Passkeys").getByRole("button", { name: "Add a passkey" }).click();
  await card("Passkeys").getByRole("textbox", { name: "Name" }).fill("My laptop");
  await card("Passkeys").getByRole("button", { name: "Register a passkey" }).click();
  await card("Passkeys").getByText("My laptop", { exact: true }).waitFor();
  assert.equal((await read(context, demo, "/me/factors")).passkeys.length, 1);
  await card("Passkeys").getByRole("button", { name: "Rename My laptop" }).click();
  await card("Passkeys").getByRole("textbox", { name: "Name" }).fill("Work laptop");
  await card("Passkeys").getByRole("button", { name: "Save the name" }).click();
  await card("Passkeys").getByText("Work laptop", { exact: true }).waitFor();
  assert.deepEqual(await axe(page), []);

  // Alone: no name, no password.
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  const now = (await read(context, demo, "/me/sessions")).find((s) => s.current);
  assert.equal(now.method, "passkey");
  const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
  assert.equal(credentials.length, 1);
  assert.equal(credentials[0].rpId, "localhost");

  // As the second factor.
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await withPassword(page);
  await page.getByRole("button", { name: "Use the passkey" }).click();
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  assert.equal((await read(context, demo, "/me/sessions")).find((s) => s.current).method, "password and passkey");

  // Without verifying the user a passkey does not stand for both factors.
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByText(/Nothing was chosen/).waitFor();
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });

  // A copy of the key with an older counter is refused, and says so.
  await cdp.send("WebAuthn.removeCredential", { authenticatorId, credentialId: credentials[0].credentialId });
  await cdp.send("WebAuthn.addCredential", { authenticatorId, credential: { ...credentials[0], signCount: 0 } });
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByText(/This passkey is not known here, or is no longer accepted/).waitFor();
  await withPassword(page);
  await page.getByRole("textbox", { name: "Code" }).or(page.getByRole("button", { name: "Use the authenticator app" })).first().waitFor();
  if (await page.getByRole("button", { name: "Use the authenticator app" }).isVisible()) await page.getByRole("button", { name: "Use the authenticator app" }).click();
  await page.getByRole("textbox", { name: "Code" }).fill(await freshCode(secret));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  await page.goto(`${demo.base}/settings/account`);
  await card("Passkeys").getByText("There may be a copy: refused").waitFor();
  await card("Passkeys").getByRole("button", { name: "Remove Work laptop …" }).click();
  await card("Passkeys").getByRole("button", { name: "Remove the passkey" }).click();
  await card("Passkeys").getByText("Work laptop").first().waitFor({ state: "detached" });
});

test("sessions are listed and ended; the page of an ended one leads to sign-in", async () => {
  const other = await newContext(browser);
  const p = await newPage(other, { signedOut: true });
  await withPassword(p);
  await p.getByRole("button", { name: "Use a recovery code" }).click();
  await p.getByLabel("Recovery code").fill(recovery[5]);
  await p.getByRole("button", { name: "Sign in" }).click();
  await p.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  await page.goto(`${demo.base}/settings/account`);
  const table = page.getByRole("table", { name: "Your sessions" });
  await table.getByText("password and recovery code").first().waitFor();
  await table.getByText("This session").waitFor();
  await page.getByRole("button", { name: "End all others" }).click();
  await table.getByText("password and recovery code").first().waitFor({ state: "detached" });
  assert.equal(await table.getByRole("row").count(), 2);
  assert.equal((await other.request.get(`${demo.base}/api/x/devices`)).status(), 401);
  await p.goto(`${demo.base}/devices`);
  await p.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await other.close();
});
