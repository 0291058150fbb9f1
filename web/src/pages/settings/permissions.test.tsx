import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { leave, never, open, refusal } from "../../testing/console";

afterEach(leave);

const at = "2026-11-26T10:00:00Z";
const ann = { id: 2, name: "ann", display_name: "Ann Example", user_groups: [3], local_groups: [3], role: "Reader", has_password: true, sessions: 1, created_at: at };
const team = { id: 3, name: "Web team", description: "", source: "local", built_in: false, roles: [], members: 1, device_groups: [] };
const page = (items: unknown[]) => ({ items, total: items.length, as_of: at });

test("people: while they are read, without any, and when they cannot be read", async () => {
  open("/settings/permissions", { "GET /people": never, "GET /user-groups": [team] });
  await screen.findByText("Reading …");
  leave();
  open("/settings/permissions", { "GET /people": page([]), "GET /user-groups": [team] });
  await screen.findByText("Nobody is called that.");
  leave();
  open("/settings/permissions", { "GET /people": refusal(403, "The caller lacks the permission for this."), "GET /user-groups": [team] });
  await screen.findByText(/lacks the permission/);
});

test("a person is taken out of a user group and disabled", async () => {
  const c = open("/settings/permissions?open=2", { "GET /people": page([ann]), "GET /user-groups": [team], "PUT /people/{id}": ann, "PUT /people/2": ann });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("checkbox", { name: "Web team" }));
  await user.click(screen.getByRole("checkbox", { name: "May sign in" }));
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(c.last("PUT /people/2")?.body).toEqual({ display_name: "Ann Example", user_groups: [], disabled: true });
});

test("second factors are reset after a second look", async () => {
  const c = open("/settings/permissions?open=2", { "GET /people": page([ann]), "GET /user-groups": [team], "DELETE /people/2/factors": {} });
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Reset second factors" }));
  expect(c.last("DELETE /people/2/factors")).toBeUndefined();
  await user.click(screen.getByRole("button", { name: "Yes, reset them" }));
  await screen.findByText(/The second factors are gone/);
  expect(c.last("DELETE /people/2/factors")).toBeDefined();
});
