// How long events are kept: what is stored is told, a change holds at once, and is in the audit log.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, newPage, programStarted, read, signIn, startBrowser, startDemo, still, until, wear } from "./harness.mjs";

let demo, browser, context, page;

before(async () => {
  demo = await startDemo();
  browser = await startBrowser();
  context = await signIn(browser, demo);
  const { items } = await until("the device", async () => {
    const list = await read(context, demo, "/devices");
    return list.items.length > 0 && list;
  });
  await programStarted(context, demo, items[0]);
  await until("events", async () => (await read(context, demo, "/retention")).stored.some((k) => k.kind === "process" && k.events > 0));
  page = await newPage(context);
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

test("the life of a kind is set", async () => {
  await page.goto(`${demo.base}/settings/retention`);
  const days = page.getByRole("spinbutton", { name: "Connections: days" });
  await days.fill("200");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/days must not be more than the 180/).waitFor();
  await days.fill("7");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved. It holds from now on", { exact: false }).waitFor();
  await page.reload();
  assert.equal(await days.inputValue(), "7");
  const now = await read(context, demo, "/retention");
  assert.deepEqual(now.kinds, [{ kind: "network", days: 7 }]);
  const entry = (await read(context, demo, "/audit?action=set-retention")).items.find((e) => e.outcome === "done");
  assert.deepEqual([entry.detail.before.kinds.length, entry.detail.after.kinds.length], [0, 1]);
  for (const scheme of ["light", "dark"]) {
    await wear(page, scheme);
    assert.deepEqual(await axe(page), []);
    await page.screenshot({ path: `e2e/out/retention-${scheme}.png` });
  }
});
