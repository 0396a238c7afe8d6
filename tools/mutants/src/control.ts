/** The control: what is found where nothing is wrong. A trial that finds something there proves nothing. */
import { tryAll } from "./queue.ts";
import { trySeeds, tryUnit } from "./trials.ts";

/** Seeds that the code as it is has to pass, beside hinted ones. */
const CONTROL_SEEDS = 12;

/**
 * The complaints of files of unit tests, and of seeds, hinted ones among them, where they aren't null;
 * empty where all is well.
 */
export async function complaints(
  files: readonly string[],
  hints: readonly number[] | null,
): Promise<readonly string[]> {
  const byUnit = async (): Promise<string | null> => {
    const { caught, test, detail } = await tryUnit({ files }, null);
    return caught ? `${test}: ${detail}` : null;
  };
  const bySeeds = async (): Promise<string | null> => {
    const { caught, rule, detail } = await trySeeds(CONTROL_SEEDS, null, { hints: hints ?? [] });
    return caught ? `${rule}: ${detail}` : null;
  };
  const controls = [...(files.length > 0 ? [byUnit] : []), ...(hints === null ? [] : [bySeeds])];
  const found = await tryAll(controls, (control) => control());
  return found.filter((complaint) => complaint !== null);
}
