// The command line of mutants.
import { expect, test } from "vitest";
import { requestOf } from "../src/request.ts";

test("the list is tried within 500 seeds, each mutant by whom it names", () => {
  expect(requestOf([])).toEqual({
    seeds: 500,
    only: "",
    by: null,
    patches: null,
    unit: false,
    json: false,
    help: false,
  });
});

test("patches are tried by both, so --unit is for the list", () => {
  expect(requestOf(["--patches", "here", "--seeds", "20"])).toMatchObject({
    patches: "here",
    seeds: 20,
  });
  expect(() => requestOf(["--patches", "here", "--unit"])).toThrow("--unit is for the list");
});

test("a number of seeds that is none is refused", () => {
  for (const seeds of ["none", "0", "-1", "1.5", ""]) {
    expect(() => requestOf([`--seeds=${seeds}`])).toThrow(`--seeds ${seeds}`);
  }
});

test("whom a mutant names is seeds or unit tests, and nobody else", () => {
  expect(requestOf(["--by", "unit"]).by).toBe("unit");
  expect(requestOf(["--by", "seed"]).by).toBe("seed");
  expect(() => requestOf(["--by", "luck"])).toThrow("expected seed or unit");
});
