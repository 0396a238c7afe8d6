// The binary search, beside a search from the left.
import { expect, test } from "vitest";
import { Dice } from "@tailwire/simulation";
import { firstIndex } from "../../src/support/search.ts";

test("finds what a search from the left finds, and looks at nothing before `from`", () => {
  const dice = new Dice(1);
  for (let round = 0; round < 500; round += 1) {
    const list = Array.from({ length: dice.below(20) }, () => dice.below(30)).toSorted(
      (a, b) => a - b,
    );
    const from = dice.below(list.length + 1);
    const limit = dice.below(32);
    const known = list.map((item, index) => (index < from ? undefined : item));
    const expected = list.findIndex((item, index) => index >= from && item >= limit);
    const found = firstIndex(known, (item) => item >= limit, from);
    expect(found).toBe(expected === -1 ? list.length : expected);
  }
});

test("asks about few of many items", () => {
  let asked = 0;
  const list = Array.from({ length: 1_000_000 }, (_, index) => index);
  const isIn = (item: number): boolean => ((asked += 1), item >= 777_777);
  expect(firstIndex(list, isIn)).toBe(777_777);
  expect(asked).toBeLessThanOrEqual(20);
});
