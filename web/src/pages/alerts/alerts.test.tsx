import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { Alert, AlertRow, AlertSummary } from "../../api/schema";
import { leave, listOf, open, refusal } from "../../testing/console";

afterEach(leave);

const at = "2026-11-20T10:00:00Z";
const row = (n: number, more: Partial<AlertRow> = {}): AlertRow => ({
  id: `da${String(n)}_1`, title: `alert-${String(n)}`, description: "It should not be.", recommended_action: "Look at it.", severity: "High", status: "New", classification: "", determination: "", category: "CredentialAccess",
  source: "CustomDetection", maker: "alice", assigned_to: "", active: true, simulated: false, device_id: "abc", device_name: "srv-01", group_id: 0, group: "", user: "bob", techniques: [], events: 1,
  created_at: at, updated_at: at, first_event: at, last_event: at, elsewhere: 0, ...more,
});
const detail = (n: number, more: Partial<Alert> = {}): Alert => ({
  ...row(n), device_risk: "High", device_exposure: "Low", event_ids: ["1-1-1"], dropped: 0, others: [], as_of: at,
  evidence: [{ kind: "Process", at, event: "1-1-1", name: "nc", command: "nc -l 4444", pid: 77, account: "bob" }], notes: [{ at, by: "carol", kind: "comment", text: "I look at it." }], ...more,
});
const summary: AlertSummary = { active: 2, severities: { High: 2 }, devices: 1, new: 2, unassigned: 2, top: [], assignees: ["carol"] };
const base = { "GET /alerts/summary": summary, "GET /techniques": [] };

test("the list asks for what the address says, and its rows say what they are", async () => {
  const c = open("/alerts?severity=High&active=true", { ...base, "GET /alerts": listOf([row(1, { simulated: true }), row(2, { classification: "FalsePositive", severity: "Low" })]) });
  const table = await screen.findByRole("table", { name: "Alerts" });
  const first = within(within(table).getAllByRole("row")[1] as HTMLElement);
  expect(first.getByText("Simulated")).toBeTruthy();
  expect(first.getByText("Credential access")).toBeTruthy();
  expect(c.last("GET /alerts")?.query.get("severity")).toBe("High");
  expect(screen.getByRole("link", { name: "2 assigned to nobody" })).toBeTruthy();
});

test("a row says how its investigation stands and what else has the same; the list can be narrowed to both and to a time", async () => {
  const c = open("/alerts", { ...base, "GET /alerts": listOf([row(1, { investigation: "7", investigation_state: "Benign", elsewhere: 3 }), row(2, { user: "" })]) });
  const [, first, second] = within(await screen.findByRole("table", { name: "Alerts" })).getAllByRole("row");
  if (!first || !second) throw new Error("not two rows");
  expect(within(first).getByRole("link", { name: "No threats found" }).getAttribute("href")).toContain("/investigations/7");
  expect(within(first).getByText("srv-01, bob and 3 other devices")).toBeTruthy();
  expect(within(second).getAllByText("srv-01")).toHaveLength(2);
  const user = userEvent.setup();
  await user.click(screen.getByRole("button", { name: "Filter" }));
  await user.click(await screen.findByRole("checkbox", { name: "Last 7 days" }));
  await user.click(screen.getByRole("checkbox", { name: "Not investigated" }));
  await user.click(screen.getByRole("button", { name: "Apply" }));
  await waitFor(() => expect(c.last("GET /alerts")?.query.get("raised")).toBe("7"));
  expect(c.last("GET /alerts")?.query.get("investigation_state")).toBe("-");
});

test("the flyout shows evidence and history, and resolving it is one press", async () => {
  const c = open("/alerts?open=da1_1", { ...base, "GET /alerts": listOf([row(1)]), "GET /alerts/da1_1": detail(1), "PATCH /alerts/da1_1": detail(1, { status: "Resolved", resolved_at: at }) });
  const user = userEvent.setup();
  const f = within(await screen.findByRole("dialog", { name: "alert-1" }));
  await f.findByText("It should not be.");
  await user.click(f.getByRole("tab", { name: "Evidence (1)" }));
  expect(f.getByText("nc -l 4444")).toBeTruthy();
  expect(f.getByRole("link", { name: "Event" }).getAttribute("href")).toContain("open=1-1-1");
  await user.click(f.getByRole("tab", { name: "Comments and history (1)" }));
  expect(f.getByText("I look at it.")).toBeTruthy();
  c.answer({ "GET /alerts/da1_1": detail(1, { status: "Resolved", resolved_at: at }) });
  await user.click(f.getByRole("button", { name: "Resolve" }));
  await waitFor(() => expect(c.last("PATCH /alerts/da1_1")?.body).toEqual({ status: "Resolved" }));
  await f.findByText("Resolved");
});

test("the form sends only what was changed, and says why it was refused", async () => {
  const c = open("/alerts?open=da1_1&view=manage", { ...base, "GET /alerts": listOf([row(1)]), "GET /alerts/da1_1": detail(1), "PATCH /alerts/da1_1": refusal(409, "It was changed meanwhile.") });
  const user = userEvent.setup();
  const f = within(await screen.findByRole("dialog", { name: "alert-1" }));
  const save = await f.findByRole("button", { name: "Save" });
  expect(save).toHaveProperty("disabled", true);
  await user.selectOptions(f.getByRole("combobox", { name: "Classification" }), "TruePositive");
  await user.type(f.getByRole("textbox", { name: "Comment" }), " mine ");
  await user.click(save);
  await f.findByText("It was changed meanwhile.");
  expect(c.last("PATCH /alerts/da1_1")?.body).toEqual({ classification: "TruePositive", comment: "mine" });
});

test("several are changed at once", async () => {
  const c = open("/alerts", { ...base, "GET /alerts": listOf([row(1), row(2)]), "POST /alerts/update": {} });
  const user = userEvent.setup();
  const table = await screen.findByRole("table", { name: "Alerts" });
  for (const box of within(table).getAllByRole("checkbox").slice(1)) await user.click(box);
  await user.click(screen.getByRole("button", { name: "Manage alerts (2)" }));
  const f = within(await screen.findByRole("dialog", { name: "Manage 2 alerts" }));
  expect(f.getByRole("button", { name: "Apply" })).toHaveProperty("disabled", true);
  await user.click(f.getByRole("button", { name: "Assign to me" }));
  await user.click(f.getByRole("button", { name: "Apply" }));
  await waitFor(() => expect(c.last("POST /alerts/update")?.body).toEqual({ assigned_to: "admin", comment: "", alert_ids: ["da1_1", "da2_1"] }));
});
