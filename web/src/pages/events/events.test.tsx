import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { leave, listOf, open } from "../../testing/console";
import { behavesAsList } from "../../testing/list";
import { eventRow as row } from "../../testing/rows";

const counts = { "GET /event-counts": { as_of: "2026-11-20T10:00:00Z", events: 1, vulnerabilities: 1234, exploitable: 7 } };

behavesAsList({
  url: "/events", rows: "GET /events", label: "Events", row, name: (n) => `thing-${n} has 1 new vulnerability`, empty: "No event in this range",
  filter: { group: "Types", option: "Fix published", key: "type", value: "FixPublished" }, sort: { column: "Types", value: "type" }, also: counts,
});

afterEach(leave);

test("the timeline shows 30 days unless the address says otherwise, and counts the same range", async () => {
  const c = open("/events", { "GET /events": listOf([row(1)]), ...counts });
  await screen.findByRole("table", { name: "Events" });
  expect(c.last("GET /events")?.query.get("days")).toBe("30");
  expect(screen.getByText("1,234")).toBeTruthy();
  expect(screen.getByText("exploitable vulnerabilities")).toBeTruthy();
  await userEvent.setup().selectOptions(screen.getByLabelText("Range"), "Last 7 days");
  await waitFor(() => expect(window.location.search).toBe("?days=7"));
  await waitFor(() => expect(c.last("GET /event-counts")?.query.get("days")).toBe("7"));
  window.history.back();
  await waitFor(() => expect(window.location.search).toBe(""));
});

test("one day is a link that another can open", async () => {
  const c = open("/events?days=any&from=2026-11-19&to=2026-11-19", { "GET /events": listOf([row(1)]), ...counts });
  await screen.findByRole("table", { name: "Events" });
  const q = c.last("GET /events")?.query;
  expect([q?.get("from"), q?.get("to"), q?.has("days")]).toEqual(["2026-11-19", "2026-11-19", false]);
  expect(screen.getByLabelText("From day (UTC)")).toHaveProperty("value", "2026-11-19");
});

test("a row says the share of devices and where the score went", async () => {
  open("/events", { "GET /events": listOf([row(1), row(2, { kind: "NewConfigurationAssessment", title: "A new check", weaknesses: 0, score: { score: "secure", before: 70, after: 69, trend: "down", version: 1 } })]), ...counts });
  const t = within(await screen.findByRole("table", { name: "Events" }));
  expect(t.getAllByTitle("5 of 40 devices")).toHaveLength(2);
  expect(t.getAllByText("(12.5 %)")).toHaveLength(2);
  expect(t.getByText("New configuration assessment")).toBeTruthy();
  expect(t.queryByText("Currently impacted")).toBeNull(); // chosen under Customize columns
});
