/** The models' program: how it reads a search's end, and what it makes of it. */
import { expect, test } from "vitest";
import { resultOf, run } from "../src/command.ts";
import { modelOf, readModels } from "../src/model.ts";
import { verdictOf } from "../src/pan-output.ts";

const summary = (errors: number, more = ""): string => `${more}
(Spin Version 6.5.2 -- 6 December 2019)
	+ Partial Order Reduction

Full statespace search for:
	never claim         	- (not selected)
	assertion violations	+

State-vector 84 byte, depth reached 151, errors: ${errors}
${"1.5e+06".padStart(9)} states, stored
  2799060 transitions (= stored+matched)
`;

test("a whole search without an error holds", () => {
  expect(verdictOf(summary(0))).toEqual({ kind: "holds", states: 1_500_000 });
  expect(verdictOf(summary(0).replace("1.5e+06", " 336489"))).toMatchObject({ states: 336_489 });
});

test("an error is told in the verifier's words", () => {
  const output = summary(1, "pan:1: assertion violated (to>from) (at depth 149)\n");
  expect(verdictOf(output)).toMatchObject({
    kind: "broken",
    error: "assertion violated (to>from) (at depth 149)",
  });
});

test.each([
  "error: max search depth too small",
  "Warning: Search not completed",
  "pan: out of memory",
  "Bit statespace search for:",
])("a search that was cut short proves nothing: %s", (words) => {
  expect(verdictOf(summary(0, words))).toMatchObject({ kind: "incomplete" });
  // An error that it found nevertheless counts.
  expect(verdictOf(summary(1, words))).toMatchObject({ kind: "broken" });
});

test.each(["", "pan.c:1: error: expected ;", "spin: a.pml:98, Error: syntax error"])(
  "a verifier that doesn't run proves nothing: %j",
  (output) => {
    expect(verdictOf(output)).toMatchObject({ kind: "incomplete" });
  },
);

test("a model is known by its mutations and its claim", () => {
  const text = "#ifdef MUTANT_B\n#elif defined(MUTANT_A)\n#endif\n#ifndef MUTANT_B\nltl c { <> p }";
  expect(modelOf("one", text)).toMatchObject({ mutants: ["A", "B"], hasClaim: true });
  expect(modelOf("one", "/* no ltl here */")).toMatchObject({ mutants: [], hasClaim: false });
});

test("every model says which code and clauses it is of, and has three mutations at least", () => {
  const models = readModels();
  expect(models.map(({ name }) => name)).toEqual([
    "fencing",
    "presence",
    "producers",
    "publishing",
    "replay",
  ]);
  for (const { text, mutants } of models) {
    expect(mutants.length).toBeGreaterThanOrEqual(3);
    expect(text).toMatch(/Left out: /);
    expect(text).toMatch(/(?:The code: .*\.ts|There is no code yet)/);
    expect(text).toMatch(/\b[A-Z]+-\d+\b/);
  }
});

test("a model is ok only if it holds and every mutation is caught", () => {
  const holds = { mutant: null, verdict: { kind: "holds", states: 7 }, seconds: 1 } as const;
  const caught = {
    mutant: "A",
    verdict: { kind: "broken", error: "", states: 1 },
    seconds: 1,
  } as const;
  const missed = { mutant: "B", verdict: { kind: "holds", states: 7 }, seconds: 1 } as const;
  const cut = { mutant: "C", verdict: { kind: "incomplete", why: "" }, seconds: 1 } as const;
  expect(resultOf("m", [holds, caught])).toMatchObject({ ok: true, states: 7, problem: null });
  expect(resultOf("m", [holds, caught, missed])).toMatchObject({ ok: false });
  expect(resultOf("m", [holds, caught, cut])).toMatchObject({ ok: false });
  expect(resultOf("m", [{ ...cut, mutant: null }, caught])).toMatchObject({ ok: false });
  expect(resultOf("m", [{ ...caught, mutant: null }])).toMatchObject({ ok: false });
});

test("without spin it says that it skips, and under CI that is a failure", async () => {
  const told: string[] = [];
  const teller = { print: (text: string) => void told.push(text), progress: () => undefined };
  const without = { SPIN: "no-such-program" };
  expect(await run([], without, teller)).toBe(0);
  expect(await run([], { ...without, CI: "true" }, teller)).toBe(1);
  expect(told).toEqual([
    "models: SKIPPED, spin isn't installed here",
    "models: FAILED, spin isn't installed here",
  ]);
});
