import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { MachineAction } from "../../api/schema";
import { address, leave, listOf, open, refusal } from "../../testing/console";
import { behavesAsList } from "../../testing/list";
import { deviceRow } from "../../testing/rows";

afterEach(leave);

const at = "2026-11-27T10:00:00Z";
const action = (n: number, more: Partial<MachineAction> = {}): MachineAction => ({
  id: `a${n}`, kind: "isolate", name: "Isolate device", scope: "Full", device_id: `d${n}`, device_name: `host-${n}`, group: "", requester: "ann", program: false, comment: `case ${n}`, status: "Pending", waits: false,
  type: "Isolate", error: "", external_id: "", group_id: 0, created_at: at, updated_at: at, expires_at: at, may_cancel: true, ...more,
});

behavesAsList({
  url: "/actions", rows: "GET /machine-actions", label: "Actions", row: action, name: (n) => `host-${n}`, empty: "No action is going on",
  filter: { group: "Action", option: "Run antivirus scan", key: "kind", value: "scan" }, sort: { column: "Device", value: "device" },
});

const one = (a: MachineAction, connected = false) => ({ "GET /machine-actions": listOf([a]), [`GET /machine-actions/${a.id}`]: a, [`GET /devices/${a.device_id}`]: deviceRow(1, { connected }) });

test("what waits for its agent says so, and is cancelled with a reason", async () => {
  const c = open("/actions?open=a1", { ...one(action(1)), "POST /machine-actions/a1/cancel": action(1, { status: "Cancelled", may_cancel: false }) });
  await screen.findByText(/is sent when the agent comes, within 3 days/);
  const user = userEvent.setup();
  await user.click(screen.getByRole("button", { name: "Cancel action" }));
  await user.click(screen.getByRole("button", { name: "Cancel action" }));
  await screen.findByText("Say why.");
  expect(c.last("POST /machine-actions/a1/cancel")).toBeUndefined();
  await user.type(screen.getByRole("textbox", { name: /Why it is cancelled/ }), "not needed");
  c.answer(one(action(1, { status: "Cancelled", may_cancel: false, cancel: { by: "ann", comment: "not needed", at } })));
  await user.click(screen.getByRole("button", { name: "Cancel action" }));
  expect(c.last("POST /machine-actions/a1/cancel")?.body).toEqual({ comment: "not needed" });
  await screen.findByText("ann: not needed");
  expect(screen.queryByRole("button", { name: "Cancel action" })).toBeNull();
});

test("who waits for an approval is led to it; what failed says why; a package is downloaded", async () => {
  open("/actions?open=a1", one(action(1, { waits: true, approval: "7" })));
  expect((await screen.findByRole("link", { name: "the approval of somebody else" })).getAttribute("href")).toBe("/approvals?open=7");
  leave();
  open("/actions?open=a2&status=any", one(action(2, { status: "Failed", error: "The agent stopped.", may_cancel: false })));
  await screen.findByText("The agent stopped.", { selector: "dd span" });
  leave();
  open("/actions?open=a3&status=any", one(action(3, { kind: "collect", status: "Succeeded", may_cancel: false, package: { bytes: 9_000, sha256: "ab" }, result: { package: { bytes: 9_000, sha256: "ab", items: 20, missing: 1 } } })));
  expect((await screen.findByRole("link", { name: "Download package" })).getAttribute("href")).toBe("/api/x/machine-actions/a3/package");
});

test("the History is everything, and Back leads to what goes on", async () => {
  const c = open("/actions", { "GET /machine-actions": listOf([]) });
  await screen.findByText("No action is going on");
  expect(c.last("GET /machine-actions")?.query.get("status")).toBe("Pending,InProgress");
  await userEvent.click(screen.getByRole("tab", { name: "History" }));
  await waitFor(() => expect(address()).toBe("/actions?status=any"));
  await screen.findByText("Nothing was done on devices yet");
  expect(c.last("GET /machine-actions")?.query.get("status")).toBeNull();
});

test("several devices are isolated at once, each with its own answer", async () => {
  const rows = [deviceRow(1), deviceRow(2)];
  const c = open("/devices", {
    "GET /devices": listOf(rows), "GET /tags": [], "GET /operating-systems": [],
    "POST /machine-actions": { results: [{ device: "d1", action: action(1) }, { device: "d2", error: "host-2 has no agent." }] },
  });
  const user = userEvent.setup();
  const table = within(await screen.findByRole("table", { name: "Devices" }));
  await user.click(table.getByRole("checkbox", { name: /host-1/ }));
  await user.click(table.getByRole("checkbox", { name: /host-2/ }));
  await user.click(await screen.findByRole("button", { name: "Response actions" }));
  await user.click(screen.getByRole("menuitem", { name: "Isolate" }));
  const panel = within(await screen.findByRole("dialog", { name: "Isolate device" }));
  await user.click(panel.getByRole("button", { name: "Isolate device" }));
  await panel.findByText("Say why this is done.");
  expect(c.last("POST /machine-actions")).toBeUndefined();
  await user.type(panel.getByRole("textbox", { name: /Comment/ }), "case 7");
  await user.click(panel.getByRole("button", { name: "Isolate device" }));
  await panel.findByText("host-2 has no agent.");
  expect(panel.getByText(/Submitted for 1 of 2 devices/)).toBeTruthy();
  expect(c.last("POST /machine-actions")?.body).toEqual({ devices: ["d1", "d2"], kind: "isolate", comment: "case 7" });
});

test("what is refused is said in the panel and can be asked again", async () => {
  open("/devices", { "GET /devices": listOf([deviceRow(1)]), "GET /tags": [], "GET /operating-systems": [], "POST /machine-actions": refusal(409, "Action is already in progress") });
  const user = userEvent.setup();
  await user.click(within(await screen.findByRole("table", { name: "Devices" })).getByRole("checkbox", { name: /host-1/ }));
  await user.click(await screen.findByRole("button", { name: "Response actions" }));
  await user.click(screen.getByRole("menuitem", { name: "Scan" }));
  const panel = within(await screen.findByRole("dialog", { name: "Run antivirus scan" }));
  await user.click(panel.getByRole("radio", { name: /Full/ }));
  await user.type(panel.getByRole("textbox", { name: /Comment/ }), "case 8");
  await user.click(panel.getByRole("button", { name: "Run antivirus scan" }));
  await panel.findByText("Action is already in progress");
  expect(panel.getByRole("button", { name: "Run antivirus scan" })).toHaveProperty("disabled", false);
});
