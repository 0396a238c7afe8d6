/**
 * Shrinks a failure: drops classes of faults one by one, and halves the steps, as long as the same rule
 * is broken.
 */
import type { FaultClass, RunOptions } from "./regime.ts";
import type { Outcome } from "./simulate.ts";
import type { Rule } from "../checker/violation.ts";

/** Runs that it may take. */
const RUNS_MAX = 60;

export interface Shrunk {
  readonly options: Required<RunOptions>;
  readonly outcome: Outcome;
}

/** The smallest case found in which the seed breaks the rule; as it was where there is none. */
export async function shrink(
  failure: Outcome,
  rule: Rule,
  simulate: (seed: number, options: RunOptions) => Promise<Outcome>,
): Promise<Shrunk> {
  const { seed, steps, enabled } = failure;
  let best: Shrunk = { options: { steps, only: enabled }, outcome: failure };
  let runs = 0;
  const attempt = async (options: Required<RunOptions>): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    const outcome = await simulate(seed, options);
    const breaks = outcome.violations.some((violation) => violation.rule === rule);
    if (breaks) best = { options, outcome };
    return breaks;
  };
  await halve(best.options, attempt);
  for (const name of enabled) {
    const only = best.options.only.filter((other): other is FaultClass => other !== name);
    await attempt({ ...best.options, only });
  }
  await halve(best.options, attempt);
  return best;
}

async function halve(
  from: Required<RunOptions>,
  attempt: (options: Required<RunOptions>) => Promise<boolean>,
): Promise<void> {
  let { steps } = from;
  do steps = Math.floor(steps / 2);
  while (steps > 10 && (await attempt({ ...from, steps })));
}
