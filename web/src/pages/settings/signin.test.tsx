import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { leave, open, refusal } from "../../testing/console";

afterEach(leave);

const at = "2026-11-26T10:00:00Z";
const around = {
  "GET /sign-in/sso": refusal(403, "not in this test"), "GET /session/ways": { single_sign_on: "", passkeys: false }, "GET /user-groups": [],
  "GET /roles": [{ id: 4, name: "Operators", description: "", permissions: [], built_in: false, administrator: false, user_groups: [] }],
  "GET /sign-in/policy": { second_factor: "optional", roles: [], local_admins_only: false }, "GET /sign-in/provisioning": { on: false, address: "https://picket.example/scim/v2", users: 0, groups: 0 }, "GET /sign-in/locks": [],
};

test("the policy is saved with the roles that it names, and not without", async () => {
  const after = { second_factor: "roles", roles: [4], local_admins_only: false };
  const c = open("/settings/sign-in", { ...around, "PUT /sign-in/policy": after });
  const user = userEvent.setup();
  const save = await screen.findByRole<HTMLButtonElement>("button", { name: "Save the policy" });
  expect(save.disabled).toBe(true);
  await user.click(screen.getByRole("radio", { name: "People with one of these roles" }));
  expect(save.disabled).toBe(true);
  await user.click(await screen.findByRole("checkbox", { name: "Operators" }));
  c.answer({ "GET /sign-in/policy": after });
  await user.click(save);
  expect(c.last("PUT /sign-in/policy")?.body).toEqual(after);
  expect(screen.getByRole<HTMLInputElement>("switch", { name: /^Only administrators/ }).disabled).toBe(true); // there is no single sign-on
});

test("a provisioning token is shown once, and ended after a second look", async () => {
  const on = { on: true, address: "https://picket.example/scim/v2", users: 2, groups: 1, created_at: at, created_by: "admin" };
  const c = open("/settings/sign-in", { ...around, "POST /sign-in/provisioning/token": { secret: "s3cret-shown-once" }, "DELETE /sign-in/provisioning/token": {} });
  const user = userEvent.setup();
  c.answer({ "GET /sign-in/provisioning": on });
  await user.click(await screen.findByRole("button", { name: /Make a token|New token …/ }));
  const again = screen.queryByRole("button", { name: "Make a new token" });
  if (again) await user.click(again);
  await screen.findByText("s3cret-shown-once");
  await user.click(await screen.findByRole("button", { name: "End the token …" }));
  expect(c.last("DELETE /sign-in/provisioning/token")).toBeUndefined();
  await user.click(screen.getByRole("button", { name: "End the token" }));
  await waitFor(() => expect(screen.queryByText("s3cret-shown-once")).toBeNull());
  expect(c.last("DELETE /sign-in/provisioning/token")).toBeDefined();
});

test("who failed to sign in is listed and unlocked", async () => {
  const lock = { id: "account-eA", kind: "account", name: "ann", failures: 12, last_at: at, locked: true };
  const c = open("/settings/sign-in", { ...around, "GET /sign-in/locks": [lock], "DELETE /sign-in/locks/account-eA": {} });
  await screen.findByText("Account ann");
  await screen.findByText("Waits");
  c.answer({ "GET /sign-in/locks": [] });
  await userEvent.click(screen.getByRole("button", { name: "Unlock ann" }));
  expect(c.last("DELETE /sign-in/locks/account-eA")).toBeDefined();
  await screen.findByText("Nobody failed several times within the hour");
});
