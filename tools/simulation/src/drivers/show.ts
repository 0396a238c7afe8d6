/** Shows a failed seed: everything that is needed to find the fault. It writes to standard error. */
import { execFileSync } from "node:child_process";
import { describe, regimeOf } from "../run/regime.ts";
import { shrink } from "../run/shrink.ts";
import type { Outcome } from "../run/simulate.ts";
import { simulate } from "./simulate.ts";

const EVENTS_SHOWN = 200;

export const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Runs a seed again, and shows it where it fails. */
export async function showSeed(seed: number, steps: number): Promise<void> {
  await show(await simulate(seed, { steps }));
}

/** Its violations and regime, and the smallest case of the first of them. */
export async function show(outcome: Outcome): Promise<void> {
  const { seed, violations } = outcome;
  const [first] = violations;
  if (first === undefined) return;
  say(`\nseed ${seed} at commit ${commitOf()}`);
  for (const { rule, detail } of violations) say(`  ${rule} ${detail}`);
  say(JSON.stringify(describe(regimeOf(seed, { steps: outcome.steps }))));
  const { options, outcome: smallest } = await shrink(outcome, first.rule, simulate);
  say(`shrunk to ${options.steps} steps with ${options.only.join(", ") || "no faults"}`);
  for (const event of smallest.history.slice(-EVENTS_SHOWN)) say(JSON.stringify(event));
}

/** The commit that is checked out; "unknown" where git can't tell. */
export function commitOf(): string {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
