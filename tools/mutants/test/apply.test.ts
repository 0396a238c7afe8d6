// A mutant changes one place, and says so when that place has moved.
import { expect, test } from "vitest";
import { apply } from "../src/apply.ts";
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
  expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
});
