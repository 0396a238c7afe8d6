// A few short seeds of the simulator, so that it works whenever it is needed. Many run elsewhere.
import { expect, test } from "vitest";
import { simulate } from "@tailwire/simulation";

const STEPS = 250;

test("a seed breaks no promise, whatever goes wrong in it", async () => {
  for (const seed of [2, 3, 7, 24]) {
    const { violations, faults } = await simulate(seed, { steps: STEPS });
    expect({ seed, violations }).toEqual({ seed, violations: [] });
    expect(faults).toBeGreaterThan(0);
  }
}, 120_000);

test("a seed runs the same twice, and another otherwise", async () => {
  const hashes: string[] = [];
  for (const seed of [11, 11, 12]) hashes.push((await simulate(seed, { steps: STEPS })).hash);
  expect(hashes[0]).toBe(hashes[1]);
  expect(hashes[2]).not.toBe(hashes[0]);
}, 60_000);

test("a run without the faults that its seed has is another run of the same seed", async () => {
  const { faults, enabled, violations } = await simulate(7, { steps: STEPS, only: [] });
  expect({ faults, enabled, violations }).toEqual({ faults: 0, enabled: [], violations: [] });
}, 60_000);
