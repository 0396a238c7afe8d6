/** Runs seeds in this process, with the debugger's census. */
import type { RunOptions } from "../run/regime.ts";
import { type Outcome, simulate as run } from "../run/simulate.ts";
import { InspectorCensus } from "./census.ts";

/** Runs a seed and judges it. The same seed and options give the same, to the last event. */
export async function simulate(seed: number, options: RunOptions = {}): Promise<Outcome> {
  const census = new InspectorCensus();
  try {
    return await run(seed, options, census);
  } finally {
    census.end();
  }
}
