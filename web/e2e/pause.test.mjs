// An agent that is killed and started again: the timeline says for which time
// nothing was recorded, of which kinds and why, and adds up nothing for it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import path from "node:path";
import { axe, newPage, read, signIn, startBrowser, startDemo, still, until, wear } from "./harness.mjs";

let demo, browser, context, page, device, killed, again;
const passing = ["dns", "file", "image", "network", "process", "processEnd"];
const timeline = () => read(context, demo, `/devices/${device.id}/timeline?size=1`);

before(async () => {
  demo = await startDemo({ agent: false });
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const { server_url: server } = await read(context, demo, "/onboarding");
  const token = demo.token();
  const first = demo.host("this", token, server, "/");
  device = await until("this machine", async () => (await read(context, demo, "/devices")).items[0]);
  await until("its first events", async () => (await timeline()).items.length > 0);
  killed = Date.now();
  first.kill("SIGKILL");
  await once(first, "exit");
  await new Promise((done) => setTimeout(done, 3000)); // the pause
  again = Date.now();
  demo.host("this", token, server, "/");
  await until("the pause", async () => (await timeline()).missing_pauses > 0);
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("the API says when, what and why", async () => {
  const parts = await until("all kinds", async () => {
    const list = (await timeline()).missing.filter((m) => m.reason === "nothing was recorded: the agent was killed");
    return list.length === passing.length && list;
  });
  assert.deepEqual(parts.map((m) => m.kind).sort(), passing);
  for (const m of parts) {
    assert.equal(m.count, 0, "nobody knows how many");
    const [from, to] = [Date.parse(m.after), Date.parse(m.before)];
    assert.ok(from > killed - 11_000 && from <= again && to >= again - 100, `${m.after} to ${m.before}, killed at ${new Date(killed).toISOString()}, started at ${new Date(again).toISOString()}`);
  }
});

test("the page says so", async () => {
  for (const scheme of ["light", "dark"]) {
    await page.goto(`${demo.base}/devices/${device.id}/timeline`);
    await wear(page, scheme);
    await page.getByRole("button", { name: /1 gap of unknown size/ }).click();
    await page.getByLabel("What is missing").getByText(/An unknown number of process, processEnd, network, dns, file, image events between .* nothing was recorded: the agent was killed/).first().waitFor();
    await still(page);
    assert.deepEqual(await axe(page), []);
    if (process.env.PICKET_SHOTS) await page.screenshot({ path: path.join(process.env.PICKET_SHOTS, `pause-${scheme}.png`) });
  }
});
