// The simulator's command line, and seeds that follow from a commit.
import { expect, test } from "vitest";
import { changingSeeds, findingLine } from "../src/drivers/changing.ts";
import { requestOf } from "../src/drivers/request.ts";

const NOW = 1_000;

function asked(line: string): ReturnType<typeof requestOf> {
  return requestOf(line === "" ? [] : line.split(" "), NOW, 77);
}

test("a hundred fresh seeds are run where nothing is said, from one that chance has chosen", () => {
  expect(asked("")).toMatchObject({ seed: null, from: 77, count: 100, until: Infinity });
  expect(asked("--seeds 5 --from 3")).toMatchObject({ from: 3, count: 5 });
});

test("by time, as many are run as fit, and 800 at least", () => {
  const byTime = { count: Infinity, until: NOW + 120_000 };
  expect(asked("--minutes 2")).toMatchObject({ ...byTime, atLeast: 800 });
  expect(asked("--minutes 2 --at-least 10")).toMatchObject({ ...byTime, atLeast: 10 });
  expect(asked("--minutes 2 --at-least 0")).toMatchObject({ ...byTime, atLeast: 0 });
  expect(asked("--minutes 2 --seeds 900").count).toBe(900);
});

test("changing seeds are run alone, or beside what else is asked for", () => {
  expect(asked("--changing 300")).toMatchObject({ count: 0, changing: 300, salt: null });
  expect(asked("--changing 300 --seeds 7 --salt x")).toMatchObject({ count: 7, salt: "x" });
  expect(asked("--changing 300 --minutes 1").count).toBe(Infinity);
});

test("a share that has to be reached is for coverage", () => {
  expect(asked("--coverage --below 92")).toMatchObject({ coverage: true, below: 92 });
  expect(() => asked("--below 92")).toThrow("--below says nothing without --coverage");
  expect(() => asked("--at-least 9")).toThrow("--at-least says nothing without --minutes");
  expect(() => asked("--salt x")).toThrow("--salt says nothing without --changing");
});

test("what is no number is refused, in words that name the option", () => {
  expect(() => asked("--seeds many")).toThrow("--seeds many: expected a number from 0 on");
  expect(() => asked("--minutes 0")).toThrow("--minutes 0: expected a number above 0");
  expect(() => asked("--steps=-1")).toThrow("--steps -1");
  expect(() => asked("--minutes Infinity")).toThrow("--minutes Infinity");
});

test("seeds that follow from a salt are the same each time, and others from another", () => {
  const seeds = changingSeeds("abc", 300);
  expect(changingSeeds("abc", 300)).toEqual(seeds);
  expect(changingSeeds("abc", 5)).toEqual(seeds.slice(0, 5));
  expect(new Set([...seeds, ...changingSeeds("abd", 300)]).size).toBeGreaterThan(595);
  for (const seed of seeds) expect(seed > 0 && seed < 2 ** 31 && Number.isInteger(seed)).toBe(true);
});

test("a finding is a line with the command that shows it again", () => {
  const violations = [{ rule: "R2", detail: "x is twice\nthere" }] as const;
  const line = findingLine({ seed: 9, steps: 50, violations }, "c0ffee");
  expect(line).toBe("R2 at commit c0ffee: npm run sim -- --seed 9 --steps 50 | x is twice");
});
