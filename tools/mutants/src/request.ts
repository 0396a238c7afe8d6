/** The command line of mutants. It knows the options, and tries nothing. */
import { parseArgs } from "node:util";

export interface MutantsRequest {
  readonly seeds: number;
  /** A part of the names of mutants or patches to try. */
  readonly only: string;
  /** Whom the mutants to try have to name; null for either. */
  readonly by: "seed" | "unit" | null;
  /** A folder of patches to try in the list's place. */
  readonly patches: string | null;
  /** Whether unit tests look for each mutant of the list beside seeds. */
  readonly unit: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** Seeds within which a bug has to be found. */
const SEEDS = 500;

export const USAGE = `npm run mutants -- [options]

Makes the built code wrong in one place at a time; each has to be found by whom it names, seeds of
the simulator or a file of unit tests.

  --unit           every mutant is tried by seeds and by all unit tests that load its source
  --patches <dir>  tries the *.patch and *.diff files there, each on a copy of the repository,
                   instead: builds it, then runs the unit tests it can reach, then seeds
  --seeds <n>      seeds within which (default: ${SEEDS})
  --only <part>    only those with this in their name
  --by <whom>      only those of the list that name seeds, or unit tests: seed or unit
  --json           print one line of JSON, {"mutants": […] or "patches": […], "control"}
  --help           show this`;

/** @throws Error when it can't be understood. */
export function requestOf(args: readonly string[]): MutantsRequest {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      seeds: { type: "string", default: String(SEEDS) },
      only: { type: "string", default: "" },
      by: { type: "string" },
      patches: { type: "string" },
      unit: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const seeds = Number(values.seeds);
  if (!Number.isSafeInteger(seeds) || seeds < 1) {
    throw new Error(`--seeds ${values.seeds}: expected a whole number above 0`);
  }
  const { patches = null, unit, only, by = null, json, help } = values;
  if (by !== null && by !== "seed" && by !== "unit") {
    throw new Error(`--by ${by}: expected seed or unit`);
  }
  if (patches !== null && unit)
    throw new Error("--unit is for the list; patches are tried by both");
  return { seeds, only, by, patches, unit, json, help };
}
