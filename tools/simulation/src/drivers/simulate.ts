/** Runs seeds in this process, with the debugger's census. */
import type { RunOptions } from "../run/regime.ts";
import { type Outcome, simulate as run } from "../run/simulate.ts";
import { InspectorCensus } from "./census.ts";

/** Runs a seed and judges it. The same seed and options give the same, to the last event. */
export async function simulate(seed: number, options: RunOptions = {}): Promise<Outcome> {
  // In an event's handler ticks go before promises, and the first would settle nothing.
  await Promise.resolve();
  const census = new InspectorCensus();
  try {
    return await run(seed, options, census);
  } finally {
    census.end();
  }
}
