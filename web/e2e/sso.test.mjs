// Single sign-on at a real OpenID Connect provider on this machine, which is
// another site than the console; and what happens when its answers do not hold.
import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { after, before, test } from "node:test";
import Provider from "oidc-provider";
import { axe, newContext, newPage, read, signIn, startBrowser, startDemo, still } from "./harness.mjs";

let demo, browser, admin, listener, issuer, tamper;
const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const people = {
  ann: { name: "Ann Example", preferred_username: "admin", email: "admin@example.org", groups: ["soc", "staff"] }, // called as the local administrator is
  bob: { name: "Bob Example", preferred_username: "bob", groups: ["staff"] },
};

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  admin = await signIn(browser, demo);
  const { createServer } = await import("node:http");
  listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  issuer = `http://127.0.0.1:${listener.address().port}`;
  const warn = console.warn; // the provider warns of its own pages for trying out
  console.warn = () => undefined;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "picket", client_secret: "a secret of the client", redirect_uris: [`${demo.base}/signin/oidc`], post_logout_redirect_uris: [`${demo.base}/login`], grant_types: ["authorization_code"], response_types: ["code"] }],
    jwks: { keys: [{ ...key, kid: "k", use: "sig", alg: "RS256" }] },
    conformIdTokenClaims: false,
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"], email: ["email"] },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: `id-of-${id}`, ...people[id] }) }),
    pkce: { required: () => true },
    cookies: { keys: ["only for a test"] },
  });
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path === "/token" && tamper && ctx.body?.id_token) ctx.body = { ...ctx.body, id_token: tamper(ctx.body.id_token) };
  });
  listener.on("request", provider.callback());
  console.warn = warn;
});

after(async () => {
  await browser?.close();
  listener?.closeAllConnections();
  listener?.close();
  await demo?.stop();
});

/** The token with other claims, signed with the provider's own key unless alg is none. */
function again(token, change, alg = "RS256") {
  const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
  change(claims);
  const part = (v) => Buffer.from(JSON.stringify(v)).toString("base64url");
  const text = `${part({ alg, kid: "k", typ: "JWT" })}.${part(claims)}`;
  if (alg === "none") return `${text}.`;
  return `${text}.${sign("sha256", Buffer.from(text), createPrivateKey({ key, format: "jwk" })).toString("base64url")}`;
}

/** Goes through the provider's pages as a person; ends where the console sends them. */
async function atProvider(page, who) {
  await page.goto(`${demo.base}/login`);
  await page.getByRole("button", { name: "Sign in with Example" }).click();
  await page.waitForURL(`${issuer}/**`);
  if (await page.locator("input[name=login]").count()) {
    await page.locator("input[name=login]").fill(who);
    await page.locator("input[name=password]").fill("anything");
    await page.locator("button[type=submit]").click();
  }
  const consent = page.getByRole("button", { name: "Continue" });
  await Promise.race([consent.waitFor().catch(() => undefined), page.waitForURL(`${demo.base}/**`)]);
  if (page.url().startsWith(issuer)) await consent.click();
  await page.waitForURL(`${demo.base}/**`);
}

test("an administrator sets the provider up and tries it", async () => {
  const page = await newPage(admin);
  await page.goto(`${demo.base}/settings/sign-in`);
  const card = page.getByRole("region", { name: "Single sign-on (OpenID Connect)" });
  await card.getByLabel("Issuer").fill("http://127.0.0.1:1");
  await card.getByLabel("Client id").fill("picket");
  await card.getByRole("button", { name: "Test the connection" }).click();
  await card.getByText("Nothing listens at").waitFor();
  await card.getByLabel("Issuer").fill(issuer);
  await card.getByLabel("Client secret").fill("a secret of the client");
  await card.getByLabel("Words on the button").fill("Sign in with Example");
  await card.getByLabel("Claim with groups").fill("groups");
  await card.getByRole("button", { name: "Add a value" }).click();
  await card.getByLabel("Value 1 of the claim").fill("soc");
  await card.getByLabel("User group for value 1").selectOption({ label: "Administrators" });
  await card.getByRole("button", { name: "Test the connection" }).click();
  await card.getByText(/The provider answers as/).waitFor();
  await card.getByLabel("Turned on").check();
  await card.getByRole("button", { name: "Save", exact: true }).click();
  await card.getByText("Saved.").waitFor();
  await page.reload();
  await card.getByText("It is never shown.").waitFor();
  assert.equal(await card.getByLabel("Client secret").inputValue(), "");
  await still(page);
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(page.wrong, []);
  await page.close();
});

test("a person signs in at the provider, as nobody who was there before, with the groups of the claim", async () => {
  const context = await newContext(browser);
  const page = await newPage(context, { signedOut: true });
  await page.goto(`${demo.base}/login`);
  await page.getByRole("button", { name: "Sign in with Example" }).waitFor();
  assert.deepEqual(await axe(page), []);
  await atProvider(page, "ann");
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  const me = await read(context, demo, "/session");
  assert.equal(me.username, "admin-2");
  assert.equal(me.display_name, "Ann Example");
  assert.equal(me.administrator, true);
  assert.equal(me.needs_password, false);
  assert.equal((await read(context, demo, "/me/sessions"))[0].method, "single sign-on");
  const [cookie] = (await context.cookies()).filter((c) => c.name === "picket_session");
  assert.equal(cookie.sameSite, "Strict");
  // Groups follow at the next sign-in.
  people.ann.groups = ["staff"];
  const next = await newContext(browser);
  const p = await newPage(next, { signedOut: true });
  await atProvider(p, "ann");
  await holdsNothing(next);
  people.ann.groups = ["soc", "staff"];
  // Out, at the provider too.
  await page.goto(`${demo.base}/settings/account`);
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL(`${issuer}/session/end**`);
  assert.equal((await context.request.get(`${demo.base}/api/x/session`)).status(), 401);
  await context.close();
  await next.close();
});

/** Whoever is signed in holds no administrator's right. */
async function holdsNothing(context) {
  const me = await read(context, demo, "/session");
  assert.equal(me.administrator, false, "the groups of the claim hold from this sign-in on");
}

const lies = {
  "another audience": (t) => again(t, (c) => (c.aud = "somebody-else")),
  expired: (t) => again(t, (c) => (c.exp = Math.floor(Date.now() / 1000) - 60)),
  "another nonce": (t) => again(t, (c) => (c.nonce = "x")),
  "alg none": (t) => again(t, () => undefined, "none"),
  "a changed claim under the old signature": (t) => {
    const [head, , sig] = t.split(".");
    return `${head}.${again(t, (c) => (c.sub = "id-of-ann")).split(".")[1]}.${sig}`;
  },
};
for (const [what, lie] of Object.entries(lies)) {
  test(`a token that does not hold lets nobody in: ${what}`, async () => {
    const context = await newContext(browser);
    const page = await newPage(context, { signedOut: true });
    tamper = lie;
    await atProvider(page, "bob");
    tamper = undefined;
    await page.getByText("What the identity provider sent does not hold.").waitFor();
    assert.equal((await context.request.get(`${demo.base}/api/x/session`)).status(), 401);
    await context.close();
  });
}

test("the way back works once, and only in the browser that left", async () => {
  const context = await newContext(browser);
  const page = await newPage(context, { signedOut: true });
  let back = "";
  page.on("request", (r) => {
    if (r.url().startsWith(`${demo.base}/signin/oidc?`)) back = r.url();
  });
  await atProvider(page, "bob");
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  assert.notEqual(back, "");
  for (const where of [context, await newContext(browser)]) {
    const r = await where.request.get(back, { maxRedirects: 0 });
    assert.equal(r.status(), 303);
    assert.equal(r.headers().location, "/login?trouble=state");
    assert.doesNotMatch(r.headers()["set-cookie"] ?? "", /picket_session/);
  }
  await context.close();
});

test("a disabled person is refused, and local accounts work while the provider is down", async () => {
  const list = await read(admin, demo, "/people?q=bob");
  const bob = list.items.find((p) => p.name === "bob");
  const r = await admin.request.put(`${demo.base}/api/x/people/${bob.id}`, { data: { display_name: "Bob Example", disabled: true } });
  assert.ok(r.ok(), await r.text());
  const context = await newContext(browser);
  const page = await newPage(context, { signedOut: true });
  await atProvider(page, "bob");
  await page.getByText("Your account is disabled in Picket.").waitFor();
  assert.deepEqual(await axe(page), []);
  listener.closeAllConnections();
  listener.close();
  await page.goto(demo.verb("sign-in-link").replace(/^.*?(\/welcome)/, `${demo.base}$1`));
  await page.getByRole("heading", { level: 1, name: "Devices" }).waitFor();
  await context.close();
});
