import { expect, test } from "vitest";
import { noRoom } from "./tabs";

test("tabs that fit all stay", () => {
  expect(noRoom([10, 20, 30], 0, 60, 10)).toEqual([]);
  expect(noRoom([], -1, 0, 10)).toEqual([]);
});

test("the last ones give way to the button of the others", () => {
  expect(noRoom([10, 20, 30], 0, 59, 10)).toEqual([2]);
  expect(noRoom([10, 20, 30], 0, 39, 10)).toEqual([1, 2]);
});

test("the selected one stays, and none is skipped for a narrower one behind it", () => {
  expect(noRoom([10, 20, 30], 2, 50, 10)).toEqual([1]);
  expect(noRoom([40, 5, 30], 2, 50, 10)).toEqual([0, 1]);
  expect(noRoom([40, 40], 1, 20, 10)).toEqual([0]); // even when it has no room itself
});
