import { expect, test } from "vitest";
import { chosenOf, selected, selection } from "./groups";

test("an address names groups, or all of them by naming none", () => {
  expect(selected("?q=a&group=2,1")).toBe("2,1");
  expect(selected("?group=2,x,,2,-1,7")).toBe("2,7");
  expect(selected("?group=")).toBe("");
  expect(selected("")).toBe("");
});

test("a selection goes into the address and comes back", () => {
  const all = [3, 1, 0];
  expect(selection(new Set([1, 3]), all)).toBe("1,3");
  expect(selection(new Set([0]), all)).toBe("0");
  expect(selection(new Set(all), all)).toBeUndefined();
  expect([...chosenOf("1,3", all)]).toEqual([3, 1]);
  expect([...chosenOf("", all)]).toEqual(all);
  expect([...chosenOf("9", all)]).toEqual([]); // a group that is no more
});
