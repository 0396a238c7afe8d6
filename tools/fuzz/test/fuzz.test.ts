// The fuzzer itself: the same seed makes the same inputs, and what is broken is found and shrunk.
import { expect, test } from "vitest";
import { run } from "../src/command.ts";
import { slowness } from "../src/pace.ts";
import { inputOf, runInputs, shrink, TARGETS, tookMs } from "../src/run.ts";

test("an input depends on the seed and its number alone", () => {
  const inputs = [0, 1, 2, 1_000_000].map((number) => inputOf(7, number));
  expect([0, 1, 2, 1_000_000].map((number) => inputOf(7, number))).toEqual(inputs);
  expect(inputOf(8, 0)).not.toEqual(inputs[0]);
});

test("two thousand inputs break nothing, and every target has some", () => {
  expect(runInputs(1, 0, 2_000)).toMatchObject({ inputs: 2_000, failures: [] });
  const fed = new Set(Array.from({ length: 200 }, (_, number) => inputOf(1, number)[0]));
  expect(fed).toEqual(new Set(TARGETS));
  expect(TARGETS.reduce((sum, { share }) => sum + share, 0)).toBe(100);
});

test("some inputs are valid and some aren't", () => {
  const [lines] = TARGETS;
  const inputs = Array.from({ length: 500 }, (_, number) => inputOf(1, number))
    .filter(([target]) => target === lines)
    .map(([, input]) => String(input));
  expect(inputs.some((input) => JSON.stringify(input).includes("room"))).toBe(true);
  expect(new Set(inputs).size).toBeGreaterThan(inputs.length / 2);
});

test("what an input shows is shown by a smaller one, which is as small as it gets", () => {
  expect(shrink("a long text with a # in it", (text) => text.includes("#"))).toBe("#");
  const bytes = Uint8Array.from({ length: 300 }, (_, at) => at % 256);
  const shows = (smaller: Uint8Array): boolean => smaller.includes(7) && smaller.includes(200);
  expect(new Set(shrink(bytes, shows))).toEqual(new Set([7, 200]));
});

test("a command that makes no sense is told so", async () => {
  const told: string[] = [];
  const print = (text: string): void => void told.push(text);
  expect(await run(["--inputs", "many"], print)).toBe(2);
  expect(await run(["--help"], print)).toBe(0);
  expect(told[0]).toContain('"many" is no number here');
});

test("an input that takes long does so at any pace of the core, and is judged", () => {
  const [first] = TARGETS;
  if (first === undefined) throw new Error("no target");
  // Ten times the work that takes 40 ms of a quiet core.
  const slow = { ...first, decode: () => void slowness(10) };
  expect(tookMs(slow, "")).toBeGreaterThan(50);
  expect(tookMs({ ...first, decode: () => undefined }, "")).toBeLessThan(5);
});
