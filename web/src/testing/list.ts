/** What every list page does, whatever it lists. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, test } from "vitest";
import { notTaken } from "./contract";
import { address, leave, listOf, never, open, refusal, type Answers } from "./console";

export interface ListPage<T> {
  /** Address of the page, without a filter. */
  url: string;
  /** What is asked for its rows: "GET /exceptions". */
  rows: string;
  label: string;
  /** The route of the rows, where the path of the question has an id in it. */
  route?: string;
  /** Some row, by number; each has a name of its own. */
  row: (n: number) => T;
  name: (n: number) => string;
  /** Title of the page without any row. */
  empty: string;
  /** A choice in the filter panel, and what the address and the server are told then. */
  filter: { group: string; option: string; key: string; value: string };
  /** A column to sort by, and what the address says after one click. */
  sort: { column: string; value: string };
  /** Further answers that the page needs. */
  also?: Answers;
}

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const param = (key: string): string | null => new URLSearchParams(window.location.search).get(key);

/** Tests of a page with a list: reading, nothing, refused, many rows, filter and order in the address, and Back. */
export function behavesAsList<T>(p: ListPage<T>): void {
  const table = () => screen.findByRole("table", { name: p.label });
  const body = async () => within(await table()).getAllByRole("row").slice(1);
  const all = (n: number): Answers => ({ ...p.also, [p.rows]: listOf(numbers(n).map(p.row)) });

  describe(`the list "${p.label}"`, () => {
    afterEach(leave);

    test("says that it is reading", async () => {
      open(p.url, { ...p.also, [p.rows]: never });
      await screen.findByText(`Reading ${p.label.toLowerCase()} …`);
      expect(screen.queryByText(p.empty)).toBeNull();
      expect(screen.queryByText("Nothing matches")).toBeNull();
    });

    test("says why it is empty", async () => {
      open(p.url, all(0));
      await screen.findByText(p.empty);
      expect(screen.getByText("0 items")).toBeTruthy();
      expect(screen.queryByText("Nothing matches")).toBeNull();
    });

    test("says what was refused, and tries again", async () => {
      const c = open(p.url, { ...p.also, [p.rows]: refusal(400, "the sort key is unknown") });
      await screen.findByText("This list could not be read");
      expect(screen.getByText("the sort key is unknown")).toBeTruthy();
      expect(screen.queryByText(p.empty)).toBeNull();
      c.answer(all(2));
      await userEvent.setup().click(screen.getByRole("button", { name: "Try again" }));
      expect(await body()).toHaveLength(2);
    });

    test("goes through many rows page by page, and Back", async () => {
      const c = open(p.url, all(31));
      expect(await body()).toHaveLength(30);
      expect(screen.getByText("31 items")).toBeTruthy();
      expect(screen.getByText("1–30 of 31")).toBeTruthy();
      expect(screen.getByRole("button", { name: "Previous page" })).toHaveProperty("disabled", true);
      await userEvent.setup().click(screen.getByRole("button", { name: "Next page" }));
      await waitFor(async () => expect(await body()).toHaveLength(1));
      expect(within(await table()).getByText(p.name(31))).toBeTruthy();
      expect(param("page")).toBe("2");
      expect(c.last(p.rows)?.query.get("page")).toBe("2");
      expect(screen.getByRole("button", { name: "Next page" })).toHaveProperty("disabled", true);
      window.history.back();
      await waitFor(async () => expect(await body()).toHaveLength(30));
      expect(param("page")).toBeNull();
    });

    test("has its filter in the address, tells the server, and Back lifts it", async () => {
      const f = p.filter;
      const c = open(p.url, all(3));
      await table();
      const held = screen.queryByRole("button", { name: `Remove filter ${f.group}` });
      expect(held).toBeNull();
      const user = userEvent.setup();
      await user.click(screen.getByRole("button", { name: "Filter" }));
      const group = within(await screen.findByRole("group", { name: f.group }));
      await user.click(group.getByRole("checkbox", { name: f.option }));
      expect(param(f.key)).toBeNull();
      await user.click(screen.getByRole("button", { name: "Apply" }));
      await waitFor(() => expect(param(f.key)).toBe(f.value));
      await waitFor(() => expect(c.last(p.rows)?.query.get(f.key)).toBe(f.value));
      await screen.findByRole("button", { name: `Remove filter ${f.group}` });
      window.history.back();
      await waitFor(() => expect(param(f.key)).toBeNull());
      await waitFor(() => expect(screen.queryByRole("button", { name: `Remove filter ${f.group}` })).toBeNull());
    });

    test("offers no filter and no order that the API does not take", async () => {
      const c = open(p.url, all(3));
      const t = await table();
      const asked = () => c.asked.filter((a) => `${a.method} ${a.path}` === p.rows);
      for (const header of within(t).getAllByRole("columnheader")) {
        const order = within(header).queryByRole("button");
        if (order) fireEvent.click(order); // hundreds of clicks: quicker than those of a person
      }
      fireEvent.click(screen.getByRole("button", { name: "Filter" }));
      const boxes = within(await screen.findByRole("dialog", { name: "Filter" })).getAllByRole<HTMLInputElement>("checkbox");
      for (const box of boxes) if (!box.checked) fireEvent.click(box);
      fireEvent.click(screen.getByRole("button", { name: "Apply" }));
      await waitFor(() => expect(asked().at(-1)?.query.get(p.filter.key)?.split(",")).toContain(p.filter.value));
      for (const a of asked()) expect(notTaken(p.route ?? a.path, a.query)).toEqual([]);
    });

    test("that matches nothing offers to lift what holds", async () => {
      const f = p.filter;
      const at = p.url + (p.url.includes("?") ? "&" : "?");
      const c = open(`${at}${f.key}=${f.value}&q=zzz`, all(0));
      await screen.findByText("Nothing matches");
      expect(screen.queryByText(p.empty)).toBeNull();
      expect(c.last(p.rows)?.query.get("q")).toBe("zzz");
      c.answer(all(1));
      await userEvent.setup().click(screen.getByRole("button", { name: "Clear search and filters" }));
      await screen.findByText(p.name(1));
      expect(param("q")).toBeNull();
      expect(c.last(p.rows)?.query.has(f.key)).toBe(false);
    });

    test("has its order in the address, and leaves out of it what it does not know", async () => {
      const at = p.url + (p.url.includes("?") ? "&" : "?");
      const c = open(`${at}sort=nonsense&nobody=knows`, all(2));
      const t = await table();
      expect(screen.getByText(/not understood and left out: .*nobody=knows|not understood and left out: .*sort=nonsense/)).toBeTruthy();
      expect(c.last(p.rows)?.query.get("sort")).not.toContain("nonsense");
      expect(c.last(p.rows)?.query.has("nobody")).toBe(false);
      await userEvent.setup().click(within(t).getByRole("button", { name: p.sort.column }));
      await waitFor(() => expect(param("sort")).toBe(p.sort.value));
      await waitFor(() => expect(c.last(p.rows)?.query.get("sort")).toBe(p.sort.value));
      expect(address()).not.toContain("nobody");
    });
  });
}
