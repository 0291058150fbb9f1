import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { emptyBasket, flipBasket } from "../../app/basket";
import { leave, never, open, refusal } from "../../testing/console";
import { planOf } from "../../testing/rows";

afterEach(() => {
  leave();
  emptyBasket();
  vi.restoreAllMocks();
});

const goal = async () => within(await screen.findByRole("region", { name: "Goal" }));
const param = (key: string) => new URLSearchParams(window.location.search).get(key);

test("before anything is searched the page says what to do", async () => {
  const c = open("/recommendations/plan", {});
  await goal();
  expect(screen.getByText("No plan yet")).toBeTruthy();
  expect(screen.getByText("For all devices that count in the exposure score.")).toBeTruthy();
  expect(c.last("POST /plans/draft")).toBeUndefined();
});

test("the goal is in the address and is what the server is asked", async () => {
  const c = open("/recommendations/plan", { "POST /plans/draft": planOf() });
  const user = userEvent.setup();
  const g = await goal();
  fireEvent.change(g.getByLabelText("Target score"), { target: { value: "20" } });
  await waitFor(() => expect(param("target")).toBe("20"));
  fireEvent.change(g.getByLabelText(/^Restarts, at most/), { target: { value: "3" } });
  await user.click(g.getByRole("checkbox", { name: "Configuration change" }));
  await waitFor(() => expect(param("types")).toBe("Update,Upgrade,Uninstall,Restart"));
  await user.click(g.getByRole("button", { name: "Find the smallest plan" }));
  await screen.findByRole("table", { name: "Steps of the plan" });
  expect(c.last("POST /plans/draft")?.body).toMatchObject({ target: 20, types: ["Update", "Upgrade", "Uninstall", "Restart"], exclude: [], max_restarts: 3 });
  expect(screen.getByText("1 change brings the score below 30, to 28.0.")).toBeTruthy();
});

test("an address with a goal shows it; a limit that is no number is said and nothing is asked", async () => {
  const c = open("/recommendations/plan?target=12.5&restarts=many&types=Restart&exclude=a", {});
  const g = await goal();
  expect(g.getByLabelText("Target score")).toHaveProperty("value", "12.5");
  expect(g.getByRole("checkbox", { name: "Update" })).toHaveProperty("checked", false);
  expect(g.getByText("Type a whole number, or nothing for no limit")).toBeTruthy();
  expect(g.getByRole("button", { name: "Allow a again" })).toBeTruthy();
  const find = g.getByRole("button", { name: "Find the smallest plan" });
  expect(find).toHaveProperty("disabled", true);
  fireEvent.submit(find.closest("form") ?? find);
  expect(c.last("POST /plans/draft")).toBeUndefined();
});

test("a search can be cancelled, and that is no error", async () => {
  open("/recommendations/plan", { "POST /plans/draft": never });
  const user = userEvent.setup();
  const g = await goal();
  await user.click(g.getByRole("button", { name: "Find the smallest plan" }));
  await user.click(await g.findByRole("button", { name: "Cancel" }));
  await g.findByRole("button", { name: "Find the smallest plan" });
  expect(screen.queryByRole("table")).toBeNull();
});

test("a search says how far it is until it ends", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.5); // the name of the search
  const c = open("/recommendations/plan", { "POST /plans/draft": never, "GET /plan-searches/i": { stage: "waiting", done: 0, of: 0 } });
  const g = await goal();
  await userEvent.setup().click(g.getByRole("button", { name: "Find the smallest plan" }));
  await g.findByText(/waits for its turn/);
  c.answer({ "GET /plan-searches/i": { stage: "searching", done: 42, of: 100 } });
  await g.findByText(/42 %/);
  expect(g.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("0.42");
});

test("a refused search says why and keeps the goal", async () => {
  open("/recommendations/plan?target=20", { "POST /plans/draft": refusal(422, "Nothing is scored in these groups") });
  const g = await goal();
  await userEvent.setup().click(g.getByRole("button", { name: "Find the smallest plan" }));
  await screen.findByText("Nothing is scored in these groups");
  expect(g.getByLabelText("Target score")).toHaveProperty("value", "20");
});

test("a step can be left out: it is in the address and the next search is without it", async () => {
  const c = open("/recommendations/plan", { "POST /plans/draft": planOf() });
  const user = userEvent.setup();
  await user.click((await goal()).getByRole("button", { name: "Find the smallest plan" }));
  await user.click(await screen.findByRole("button", { name: "Plan without Update thing-1" }));
  await waitFor(() => expect(param("exclude")).toBe("va-_-debian-_-thing-1"));
  await waitFor(() => expect(c.last("POST /plans/draft")?.body).toMatchObject({ exclude: ["va-_-debian-_-thing-1"] }));
  await (await goal()).findByRole("button", { name: "Allow Update thing-1 again" });
});

test("a goal that was changed since says that the plan is of the one before", async () => {
  open("/recommendations/plan", { "POST /plans/draft": planOf() });
  const g = await goal();
  await userEvent.setup().click(g.getByRole("button", { name: "Find the smallest plan" }));
  await screen.findByRole("table", { name: "Steps of the plan" });
  expect(screen.queryByText(/The goal has changed since/)).toBeNull();
  fireEvent.change(g.getByLabelText("Target score"), { target: { value: "10" } });
  await screen.findByText(/The goal has changed since/);
});

test("a plan of the basket asks for just that", async () => {
  flipBasket({ id: "va-_-a", name: "A" });
  const c = open("/recommendations/plan?basket=1", { "POST /plans/draft": planOf({ searched: false }) });
  const card = within(await screen.findByRole("region", { name: "Plan of the basket" }));
  expect(card.getByText("1 recommendation of the basket")).toBeTruthy();
  await userEvent.setup().click(card.getByRole("button", { name: "Predict" }));
  await screen.findByRole("table", { name: "Steps of the plan" });
  expect(c.last("POST /plans/draft")?.body).toEqual({ target: 30, recommendations: ["va-_-a"], search: expect.stringMatching(/^\w+$/) as string });
  expect(screen.queryByRole("button", { name: "Plan without Update thing-1" })).toBeNull();
});
