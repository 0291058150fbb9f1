import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { address, leave, listOf, open, type Asked } from "../../testing/console";
import { behavesAsList } from "../../testing/list";
import { deviceRow } from "../../testing/rows";

const also = { "GET /tags": [], "GET /operating-systems": [] };

behavesAsList({
  url: "/devices", rows: "GET /devices", label: "Devices", row: (n) => deviceRow(n), name: (n) => `host-${n}`, empty: "No device is enrolled yet",
  filter: { group: "Sensor health", option: "Impaired communication", key: "health", value: "ImpairedCommunication" }, sort: { column: "OS platform", value: "os" }, also: { ...also, "GET /status": { version: "t", devices: 0, connected: 0, health: "ok", notices: [], demo_intelligence: false, intelligence_empty: false, weaknesses: 0, needs_password: false } },
});

afterEach(leave);

test("a pill counts devices at high risk and leads to them", async () => {
  open("/devices", { ...also, "GET /devices": (a: Asked) => listOf(a.query.get("risk") === "High" ? [deviceRow(2)] : [deviceRow(1), deviceRow(2)])(a) });
  await userEvent.setup().click(await screen.findByRole("link", { name: "1 at high risk" }));
  await waitFor(() => expect(address()).toBe("/devices?risk=High"));
});

test("the MAC address is a column that can be chosen", async () => {
  open("/devices", { ...also, "GET /devices": listOf([deviceRow(1, { mac: "52:54:00:12:34:56" })]) });
  await screen.findByRole("table", { name: "Devices" });
  expect(screen.queryByText("52:54:00:12:34:56")).toBeNull();
  const user = userEvent.setup();
  await user.click(screen.getByRole("button", { name: "Customize columns" }));
  await user.click(await screen.findByRole("checkbox", { name: "MAC address" }));
  await waitFor(() => expect(within(screen.getByRole("table", { name: "Devices" })).getByText("52:54:00:12:34:56")).toBeTruthy());
});
