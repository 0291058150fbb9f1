import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { ExceptionDetail, ExceptionRow } from "../../api/schema";
import { leave, listOf, open, refusal } from "../../testing/console";
import { behavesAsList } from "../../testing/list";
import { deviceRow, recommendationDetail } from "../../testing/rows";

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

const groupsOf = (n: number) => Array.from({ length: n }, (_, i) => ({ id: i + 1, name: `Group ${i + 1}.`, devices: i, rank: i + 1, description: "", rules: [] }));
const advice = recommendationDetail(1);
const formOf = async (group: string, groups: number, held: ExceptionRow[]) => {
  const c = open(`/recommendations?open=${encodeURIComponent(advice.id)}&view=exception${group}`, {
    "GET /recommendations": listOf([advice]), [`GET /recommendations/${encodeURIComponent(advice.id)}`]: advice, "GET /device-groups": groupsOf(groups), "GET /exceptions": listOf(held), "POST /exceptions": refusal(409, "not now"),
  });
  const f = within(await screen.findByRole("form", { name: "Exception options" }));
  await f.findByText(/^\d+ groups?/);
  return { c, f, user: userEvent.setup() };
};
const inGroups = (ids: number[], more: Partial<ExceptionRow> = {}) => row(1, { recommendation: advice.id, scope: "DeviceGroups", groups: ids.length, group_ids: ids, ...more });

test("the form says which groups have an exception already and until when, and does not offer them", async () => {
  const { c, f, user } = await formOf("", 3, [inGroups([2]), inGroups([3], { recommendation: "va-_-debian-_-other" })]);
  expect(f.getByText("2 groups, 1 more has one already; groups that are made later are not in it.")).toBeTruthy();
  await user.click(f.getByRole("radio", { name: "Some device groups" }));
  expect(f.queryByRole("searchbox")).toBeNull();
  expect(f.getByRole("checkbox", { name: /^Group 2\. .*Has an exception until .*Dec 1/ })).toHaveProperty("disabled", true);
  await user.click(f.getByRole("checkbox", { name: "Group 3. (2)" }));
  await user.click(f.getByRole("button", { name: "Make the exception" }));
  await f.findByText("not now");
  expect(c.last("POST /exceptions")?.body).toMatchObject({ recommendation: advice.id, scope: "DeviceGroups", groups: [3], days: 30 });
  await user.click(f.getByRole("radio", { name: /^All current device groups/ }));
  await user.click(f.getByRole("button", { name: "Make the exception" }));
  await waitFor(() => expect(c.last("POST /exceptions")?.body).toMatchObject({ scope: "DeviceGroups", groups: [1, 3] }));
});

test("a page of some groups offers these alone, and of more than 20 they are searched", async () => {
  const { c, f, user } = await formOf("&group=1,2", 3, []);
  expect(f.getByText("2 groups; groups that are made later are not in it.")).toBeTruthy();
  await user.click(f.getByRole("radio", { name: /^All selected device groups/ }));
  await user.click(f.getByRole("button", { name: "Make the exception" }));
  await f.findByText("not now");
  expect(c.last("POST /exceptions")?.body).toMatchObject({ groups: [1, 2] });
  leave();
  const many = await formOf("", 21, []);
  await user.click(many.f.getByRole("radio", { name: "Some device groups" }));
  await user.type(many.f.getByRole("searchbox", { name: "Search device groups" }), "group 2");
  await user.click(many.f.getByRole("checkbox", { name: "All 3 that are found" }));
  await user.click(many.f.getByRole("button", { name: "Make the exception" }));
  await waitFor(() => expect(many.c.last("POST /exceptions")?.body).toMatchObject({ groups: [2, 20, 21] }));
});

test("devices are found by search, several of them, and each can be left out again", async () => {
  const { c, f, user } = await formOf("", 2, []);
  c.answer({ "GET /devices": (a: { query: URLSearchParams }) => listOf([1, 2, 12].map((n) => deviceRow(n)).filter((d) => d.name.includes(a.query.get("q") ?? "")))(a as never) });
  await user.click(f.getByRole("radio", { name: "Some devices" }));
  expect(f.getByRole("button", { name: "Make the exception" })).toHaveProperty("disabled", true);
  const search = f.getByRole("searchbox", { name: "Search devices" });
  fireEvent.change(search, { target: { value: "host-1" } }); // at once: quicker than a person types
  await user.click(await f.findByRole("checkbox", { name: "host-1" }));
  await user.click(await f.findByRole("checkbox", { name: "host-12" }));
  fireEvent.change(search, { target: { value: "host-2" } });
  await user.click(await f.findByRole("checkbox", { name: "host-2" }));
  expect(f.getByText("3 devices chosen")).toBeTruthy();
  await user.click(f.getByRole("checkbox", { name: "host-1" }));
  await user.click(f.getByRole("button", { name: "Make the exception" }));
  await f.findByText("not now");
  expect(c.last("POST /exceptions")?.body).toMatchObject({ scope: "Devices", devices: ["d12", "d2"] });
});

test("one for a weakness can be narrowed to software, its versions and a path", async () => {
  const id = "CVE-2024-3094";
  const c = open(`/weaknesses?open=${id}&view=exception`, {
    "GET /weaknesses": listOf([]), [`GET /weaknesses/${id}`]: { id, severity: "High", cvss: 9, cvss_version: "3.1", epss: 0, exposed: 1, exposed_after: 1, exposed_unknown: false, exception: false, threats: {}, tags: [], title: "", recommendations: [], weakness: { kev: null } },
    [`GET /weaknesses/${id}/software`]: listOf([{ id: "debian-_-xz", name: "xz" }, { id: "debian-_-lzma", name: "lzma" }]), "GET /device-groups": groupsOf(1), "GET /exceptions": listOf([]), "POST /exceptions": refusal(409, "not now"),
  });
  const f = within(await screen.findByRole("form", { name: "Exception options" }));
  const user = userEvent.setup();
  await f.findByRole("option", { name: "xz" });
  expect(f.queryByRole("textbox", { name: "From version" })).toBeNull();
  await user.selectOptions(f.getByRole("combobox", { name: "In which software" }), "debian-_-xz");
  for (const [name, value] of [["From version", "5.6.0"], ["To version", "5.6.1"], ["Path", "/opt/x/**"]] as const) fireEvent.change(f.getByRole("textbox", { name }), { target: { value } });
  await user.click(f.getByRole("button", { name: "Make the exception" }));
  await f.findByText("not now");
  expect(c.last("POST /exceptions")?.body).toMatchObject({ weakness: id, product: "debian-_-xz", version_from: "5.6.0", version_to: "5.6.1", path: "/opt/x/**" });
  await user.selectOptions(f.getByRole("combobox", { name: "In which software" }), ""); // versions are those of a product
  await user.click(f.getByRole("button", { name: "Make the exception" }));
  await waitFor(() => expect(c.last("POST /exceptions")?.body).toMatchObject({ weakness: id, path: "/opt/x/**" }));
  for (const gone of ["product", "version_from", "version_to"]) expect(c.last("POST /exceptions")?.body).not.toHaveProperty(gone);
});

test("only an administrator is offered what holds everywhere, and ends it", async () => {
  const operator = { username: "op", display_name: "Op", role: "Operator", needs_password: false, needs_factor: false, external: false, administrator: false, permissions: ["remediate.exceptions"], all_devices: true };
  const detail: ExceptionDetail = { ...row(1), as_of: "2026-11-20T10:00:00Z", history: [], in: [] };
  open("/remediation?open=1&tab=exceptions", { "GET /session": operator, "GET /exceptions": listOf([row(1)]), "GET /exceptions/1": detail });
  const cancel = await within(await screen.findByRole("dialog", { name: "Update thing-1" })).findByRole("button", { name: "Cancel exception" });
  await waitFor(() => expect(cancel.title).toMatch(/it takes “Administrator”/));
  leave();
  open(`/recommendations?open=${encodeURIComponent(advice.id)}&view=exception`, {
    "GET /session": operator, "GET /recommendations": listOf([advice]), [`GET /recommendations/${encodeURIComponent(advice.id)}`]: advice, "GET /device-groups": groupsOf(2), "GET /exceptions": listOf([]),
  });
  const f = within(await screen.findByRole("form", { name: "Exception options" }));
  await f.findByText(/^2 groups/);
  expect(await f.findByRole("radio", { name: /^Everywhere/ })).toHaveProperty("disabled", true);
  expect(f.getByRole("radio", { name: /^All current device groups/ })).toHaveProperty("checked", true);
});

test("the groups of an exception are saved as a file", async () => {
  const detail: ExceptionDetail = { ...inGroups([1]), as_of: "2026-11-20T10:00:00Z", history: [], in: [{ group: 1, device: "", name: "Servers", status: "InEffect", exposed: 2, ended_at: null, ended_by: "" }] };
  open("/remediation?open=1&tab=exceptions&view=where", { "GET /exceptions": listOf([row(1)]), "GET /exceptions/1": detail });
  const f = within(await screen.findByRole("dialog", { name: "Update thing-1" }));
  await f.findByText("Servers");
  await userEvent.setup().click(f.getByRole("button", { name: "Export" }));
  expect(f.getByRole("menuitem", { name: "JSON Lines" }).getAttribute("href")).toBe("/api/x/exceptions/1/targets/export?format=jsonl");
});
