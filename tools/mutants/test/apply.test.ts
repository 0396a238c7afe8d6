// A mutant changes one place, and says so when that place has moved.
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { apply } from "../src/apply.ts";
import { sourceOf } from "../src/mutant.ts";
import { MUTANTS } from "../src/mutants.ts";

const MUTANT = { name: "it adds", file: "sum.js", find: "a + b", replace: "a - b" };

test("a mutant is its file with one place changed", () => {
  expect(apply(MUTANT, "const sum = a + b;")).toBe("const sum = a - b;");
});

test("a dollar in what comes instead means itself", () => {
  expect(apply({ ...MUTANT, replace: "`$&${a}`" }, "a + b")).toBe("`$&${a}`");
});

test("a place that is gone, or there twice, is an error that names the mutant", () => {
  expect(() => apply(MUTANT, "const sum = b + a;")).toThrow('"it adds": its place is in sum.js 0');
  expect(() => apply(MUTANT, "a + b; a + b;")).toThrow("2 times, not once");
});

test("every mutant has a name of its own, and changes something", () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  expect(MUTANTS.filter(({ find, replace }) => find === replace)).toEqual([]);
});

test("there are 20 mutants at least for seeds to find, and 20 for unit tests", () => {
  for (const finder of ["seed", "unit"]) {
    const theirs = MUTANTS.filter(({ foundBy }) => foundBy === finder);
    expect(theirs.length).toBeGreaterThanOrEqual(20);
  }
});

test("every mutant's source is there, and the file of tests that it names", () => {
  const paths = MUTANTS.flatMap((one) => [
    sourceOf(one),
    ...(one.foundBy === "unit" ? [one.test] : []),
  ]);
  const isThere = (path: string): boolean =>
    existsSync(new URL(`../../../${path}`, import.meta.url));
  expect(paths.filter((path) => !isThere(path))).toEqual([]);
});
