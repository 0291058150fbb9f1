import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { ruleText } from "../../app/approvals";
import { may } from "../../app/useMay";
import { address, leave, listOf, open, refusal } from "../../testing/console";

afterEach(leave);

const at = "2026-11-26T10:00:00Z";
const waiting = { id: "7", kind: "check-in", name: "Check in now", state: "pending", devices: [{ id: "d1", name: "srv-01" }], comment: "case 7", requester: "ann", program: false, created_at: at, expires_at: at, own: false, may_decide: true };
const done = { ...waiting, state: "done", may_decide: false, decider: "admin", decided_at: at, ended_at: at };
const off = { on: false, lifts: [] };
const on = { on: true, since: at, by: "ann", reason: "stolen account.", lifts: [{ user_id: 2, name: "ann", at, until: at }] };

test("the queue asks for what waits, and a request is approved", async () => {
  const c = open("/approvals?open=7", { "GET /approvals": listOf([waiting]), "GET /approvals/7": waiting, "POST /approvals/7/approve": done });
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText("Note"), "go on");
  c.answer({ "GET /approvals": listOf([]), "GET /approvals/7": done });
  await user.click(screen.getByRole("button", { name: "Approve and carry out" }));
  expect(c.last("POST /approvals/7/approve")?.body).toEqual({ note: "go on" });
  expect(c.asked.find((a) => a.path === "/approvals")?.query.get("state")).toBe("pending");
  await waitFor(() => expect(screen.queryByRole("button", { name: "Approve and carry out" })).toBeNull());
  await screen.findByText("Decided by", { selector: "dt" });
  await user.click(screen.getByRole("tab", { name: "History" }));
  await waitFor(() => expect(address()).toBe("/approvals?state=any"));
  await waitFor(() => expect(c.last("GET /approvals")?.query.get("state")).toBeNull());
});

test("who may not decide reads why, and withdraws what is the own", async () => {
  const own = { ...waiting, may_decide: false, own: true, why_not: "Somebody else than who asked has to decide." };
  const c = open("/approvals?open=7", { "GET /approvals": listOf([own]), "GET /approvals/7": own, "POST /approvals/7/withdraw": refusal(409, "this request waits no more") });
  await screen.findByText("Somebody else than who asked has to decide.");
  expect(screen.queryByRole("button", { name: "Approve and carry out" })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Withdraw" }));
  await screen.findByText(/waits no more/);
  expect(c.last("POST /approvals/7/withdraw")).toBeDefined();
});

test("nothing waits", async () => {
  open("/approvals", { "GET /approvals": listOf([]) });
  await screen.findByText("Nothing waits for an approval");
});

test("a lockdown is put on with a reason and a second look, and shows on every page", async () => {
  const c = open("/settings/approvals", { "GET /lockdown": off, "GET /approval-policy": { rules: [] }, "GET /action-kinds": [], "POST /lockdown": { ...on, lifts: [] } });
  const user = userEvent.setup();
  const button = await screen.findByRole("button", { name: "Lock down …" });
  expect((button as HTMLButtonElement).disabled).toBe(true);
  await user.type(screen.getByRole("textbox", { name: /Reason/ }), "stolen account.");
  await user.click(button);
  expect(c.last("POST /lockdown")).toBeUndefined();
  c.answer({ "GET /status": { version: "t", devices: 1, connected: 1, health: "ok", notices: [], demo_intelligence: false, intelligence_empty: false, weaknesses: 0, needs_password: false, lockdown: on } });
  await user.click(screen.getByRole("button", { name: "Yes, lock down now" }));
  expect(c.last("POST /lockdown")?.body).toEqual({ reason: "stolen account." });
  await screen.findByText(/^Lockdown, put on by ann: stolen account\./);
  await screen.findByRole("button", { name: "Lift the lockdown (1 of 2)" });
});

test("the second of two lifts it; less protection waits for somebody else", async () => {
  const rule = { all_actions: true, actions: [], all_devices: true, groups: [], hours: 24 };
  const c = open("/settings/approvals", { "GET /lockdown": on, "GET /approval-policy": { rules: [rule] }, "GET /action-kinds": [], "POST /lockdown/lift": off, "PUT /approval-policy": { policy: { rules: [rule] }, approval: waiting } });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Lift the lockdown (2 of 2)" }));
  await screen.findByText("Off");
  await user.click(screen.getByRole("button", { name: "Every action on all devices" }));
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  await user.click(screen.getByRole("button", { name: "Delete it" }));
  expect(c.last("PUT /approval-policy")?.body).toEqual({ rules: [] });
  await screen.findByText(/another administrator has to agree/);
});

test("words of rules, and who may", () => {
  expect(ruleText({ all_actions: false, actions: ["check-in", "x"], all_devices: false, groups: [0, 9], hours: 1 }, [{ id: "check-in", name: "Check in now" }], [{ id: 0, name: "Ungrouped" }])).toBe("Check in now, x on Ungrouped, group 9");
  const reader = { administrator: false, permissions: ["view.security-operations"] };
  expect([may(reader, "alerts.investigate"), may(reader, "alerts.investigate", "view.security-operations"), may({ ...reader, administrator: true }, "settings.security"), may(null, "administrator")]).toEqual([false, true, true, false]);
});
