import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { ExceptionDetail, ExceptionRow } from "../../api/schema";
import { leave, listOf, open, refusal } from "../../testing/console";
import { behavesAsList } from "../../testing/list";

const row = (n: number, more: Partial<ExceptionRow> = {}): ExceptionRow => ({
  id: String(n), name: `Update thing-${n}`, kind: "Recommendation", justification: "RiskAccepted", context: `reason ${n}`, scope: "Global", groups: 0, devices: 0, exposed: n, status: "InEffect", why: "",
  created_at: "2026-11-01T08:00:00Z", created_by: "admin", expires_at: "2026-12-01T08:00:00Z", ended_at: null, ended_by: "", keep: false, lowers_score: false,
  path: "", package: "", document: "", product: "", recommendation: `va-_-thing-${n}`, source: { kind: "", id: "", author: "", hash: "" }, version_from: "", version_to: "", weakness: "", group_ids: [], ...more,
});

behavesAsList({
  url: "/remediation?tab=exceptions", rows: "GET /exceptions", label: "Exceptions", row, name: (n) => `Update thing-${n}`, empty: "No exceptions",
  filter: { group: "Status", option: "Expired", key: "status", value: "Expired" }, sort: { column: "Ends", value: "expires_at" },
});

afterEach(leave);

test("a row says in words where an exception holds, why, and how it stands", async () => {
  open("/remediation?tab=exceptions", {
    "GET /exceptions": listOf([
      row(1), row(2, { scope: "DeviceGroups", groups: 1, status: "Suspended", why: "A global exception holds." }), row(3, { scope: "Devices", devices: 2, status: "Expired", expires_at: null, justification: "AlternateMitigation" }),
    ]),
  });
  const [, first, second, third] = within(await screen.findByRole("table", { name: "Exceptions" })).getAllByRole("row");
  if (!first || !second || !third) throw new Error("not three rows");
  for (const text of ["Everywhere", "Risk accepted", "In effect"]) expect(within(first).getByText(text)).toBeTruthy();
  expect(within(second).getByText("1 device group")).toBeTruthy();
  expect(within(second).getByText("Suspended").title).toBe("A global exception holds.");
  for (const text of ["2 devices", "Alternate mitigation", "Expired", "With its document"]) expect(within(third).getByText(text)).toBeTruthy();
});

test("an exception is cancelled only when that is confirmed, and a refusal is said", async () => {
  const detail: ExceptionDetail = { ...row(1), as_of: "2026-11-20T10:00:00Z", history: [{ at: "2026-11-01T08:00:00Z", by: "admin", type: "Created", detail: "" }], in: [] };
  const c = open("/remediation?open=1&tab=exceptions", { "GET /exceptions": listOf([row(1)]), "GET /exceptions/1": detail, "POST /exceptions/1/cancel": refusal(409, "It has ended already") });
  const user = userEvent.setup();
  const flyout = within(await screen.findByRole("dialog", { name: "Update thing-1" }));
  await user.click(flyout.getByRole("button", { name: "Cancel exception" }));
  expect(c.last("POST /exceptions/1/cancel")).toBeUndefined();
  await user.click(flyout.getByRole("button", { name: "No" }));
  expect(flyout.queryByRole("button", { name: "Yes, cancel" })).toBeNull();
  await user.click(flyout.getByRole("button", { name: "Cancel exception" }));
  await user.click(flyout.getByRole("button", { name: "Yes, cancel" }));
  await flyout.findByText("It has ended already");
  c.answer({ "POST /exceptions/1/cancel": { ...detail, status: "Canceled" }, "GET /exceptions/1": { ...detail, status: "Canceled" }, "GET /exceptions": listOf([row(1, { status: "Canceled" })]) });
  await user.click(flyout.getByRole("button", { name: "Yes, cancel" }));
  await waitFor(() => expect(flyout.queryByRole("button", { name: "Cancel exception" })).toBeNull());
  expect(c.last("POST /exceptions/1/cancel")?.body).toEqual({});
});
