/**
 * Trials: of unit tests, and of seeds, each in a process of its own. One that doesn't end, or crashes, has
 * found something by that.
 */
import { fileURLToPath } from "node:url";
import { type Ended, runScript } from "./children.ts";
import type { Finding, UnitFinding } from "./finding.ts";

/** How long a seed may take, many times what it does, before it counts as having no end. */
const SEED_MS = 60_000;

/** The same for a file of tests. */
const TESTS_MS = 180_000;

const HERE = fileURLToPath(new URL(".", import.meta.url));
/** The repository that this was built in. */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Runs seeds, hinted ones and then from 1 on, on what is built below a root: with a mutant, or as it is. */
export async function trySeeds(
  seeds: number,
  mutant: string | null,
  { root = ROOT, hints = [] }: { readonly root?: string; readonly hints?: readonly number[] } = {},
): Promise<Finding> {
  const register = new URL("register.js", import.meta.url).href;
  const args = [
    // Objects of a seed are mostly gone when it ends: with room for them, few are moved about.
    "--max-semi-space-size=64",
    ...(mutant === null ? [] : ["--import", register]),
    `${root}tools/mutants/dist/trial.js`,
    ...[seeds, ...hints].map(String),
  ];
  const env = mutant === null ? {} : { TAILWIRE_MUTANT: mutant };
  const ended = await runScript(args, { cwd: root, env, silentMs: SEED_MS });
  if (ended.last.startsWith("{")) return JSON.parse(ended.last) as Finding;
  const seed = Number(ended.last);
  return { caught: true, seed, seeds: seed, rule: endOf(ended), detail: ended.complaint };
}

/** Files of tests to run, or all that load one of some sources, save some. Paths from the root. */
export type Tests =
  | { readonly files: readonly string[] }
  | { readonly of: readonly string[]; readonly without: readonly string[] };

/** Runs unit tests until one fails: with a mutant, or on the sources below a root as they are. */
export async function tryUnit(
  tests: Tests,
  mutant: string | null,
  root = ROOT,
): Promise<UnitFinding> {
  const asked = JSON.stringify({ root, tests, mutant });
  const ended = await runScript([`${HERE}unit-trial.js`, asked], { cwd: root, silentMs: TESTS_MS });
  if (ended.last.startsWith("{")) return JSON.parse(ended.last) as UnitFinding;
  return { caught: true, file: null, test: endOf(ended), detail: ended.complaint };
}

/**
 * Runs all unit tests that load one of some sources, until one fails that doesn't where nothing is wrong:
 * on a machine that is busy some need longer than they may.
 */
export async function tryAllUnit(
  sources: readonly string[],
  mutant: string | null,
  root = ROOT,
): Promise<UnitFinding> {
  const without: string[] = [];
  for (;;) {
    const found = await tryUnit({ of: sources, without }, mutant, root);
    if (found.file === null) return found;
    const control = await tryUnit({ files: [found.file] }, null);
    if (!control.caught) return found;
    without.push(found.file);
  }
}

/** How a trial ended that gave no finding. The control tells where that isn't the mutant's doing. */
function endOf({ isStuck }: Ended): string {
  return isStuck ? "no end" : "crash";
}
