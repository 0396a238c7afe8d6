/** The control: what is found where nothing is wrong. A trial that finds something there proves nothing. */
import { tryAll } from "./queue.ts";
import { trySeeds, tryUnit, type Tests } from "./trials.ts";

/** Seeds that the code as it is has to pass. */
const CONTROL_SEEDS = 25;

/** The complaints of unit tests and seeds; empty where all is well. */
export async function complaints(tests: Tests | null, seeds: boolean): Promise<readonly string[]> {
  const byUnit = async (): Promise<string | null> => {
    if (tests === null) return null;
    const { caught, test, detail } = await tryUnit(tests, null);
    return caught ? `${test}: ${detail}` : null;
  };
  const bySeeds = async (): Promise<string | null> => {
    const { caught, rule, detail } = await trySeeds(CONTROL_SEEDS, null);
    return caught ? `${rule}: ${detail}` : null;
  };
  const found = await tryAll(seeds ? [byUnit, bySeeds] : [byUnit], (attempt) => attempt());
  return found.filter((complaint) => complaint !== null);
}
