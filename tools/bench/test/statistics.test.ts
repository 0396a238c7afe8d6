// Statistics: medians, and ratios that are taken within a round.
import { expect, test } from "vitest";
import { median, medians, ratioOf, rounded } from "../src/statistics.ts";

test("the median is the middle one, or the mean of the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
  expect(median([])).toBeNaN();
});

test("each figure has its own median, of the rounds that have it", () => {
  expect(medians([{ a: 1, b: 5 }, { a: 3 }, { a: 2, b: 7 }])).toEqual({ a: 2, b: 6 });
});

test("a ratio compares what was measured in the same round", () => {
  const own = [{ x: 10 }, { x: 100 }, { x: 1_000 }];
  const other = [{ x: 5 }, { x: 25 }, { x: 1_000 }];
  expect(ratioOf(own, other, "x", "more")).toEqual({ median: 2, least: 1, most: 4 });
  expect(ratioOf(own, other, "x", "less")).toEqual({ median: 0.5, least: 0.25, most: 1 });
});

test("rounds that one of them lacks are left out, and without a common one there is no ratio", () => {
  expect(ratioOf([{ x: 4 }, { x: 8 }], [{ x: 2 }], "x", "more")?.median).toBe(2);
  expect(ratioOf([{ x: 4 }], [], "x", "more")).toBeNull();
  expect(ratioOf([{ x: 4 }], [{ x: 0 }], "x", "more")).toBeNull();
});

test("figures are kept with four digits", () => {
  expect(rounded(123_456)).toBe(123_500);
  expect(rounded(0.001_234_56)).toBe(0.001_235);
});
