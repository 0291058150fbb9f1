import { expect, test } from "vitest";
import { hold } from "./hold";

const key = (r: { id: string }) => r.id;

test("rows on screen take new values in place, gone rows leave, new rows wait", () => {
  const shown = [{ id: "a", n: 1 }, { id: "b", n: 1 }, { id: "c", n: 1 }];
  const fresh = [{ id: "x", n: 9 }, { id: "c", n: 2 }, { id: "a", n: 2 }];
  expect(hold(shown, fresh, key)).toEqual({ rows: [{ id: "a", n: 2 }, { id: "c", n: 2 }], waiting: 1 });
});
