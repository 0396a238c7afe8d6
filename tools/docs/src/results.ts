/**
 * Results of the last full runs of the proofs, as tables: from the JSON that the commands print, kept
 * in `docs/results/`. It judges nothing, and knows no command.
 */
import { readFileSync } from "node:fs";
import { grouped, table } from "./tables.ts";

interface Simulation {
  readonly seeds: number;
  readonly steps: number;
  readonly faults: number;
  readonly simulatedHours: number;
  readonly violations: readonly unknown[];
  readonly unseen: readonly string[];
}

interface Mutants {
  readonly mutants: readonly {
    readonly name: string;
    readonly caught: boolean;
    /** The seed that found it; null where none did. */
    readonly seed: number | null;
    readonly rule: string | null;
    /** The unit test that found it, behind its file; null where seeds did. */
    readonly test: string | null;
  }[];
}

interface Models {
  readonly models: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly states: number;
    readonly mutants: readonly { readonly caught: boolean }[];
  }[];
}

/** The tables, with the repository's root to read results from. */
export function resultsOf(root: string): Readonly<Record<string, () => readonly string[]>> {
  const read = (name: string): unknown =>
    JSON.parse(readFileSync(`${root}/docs/results/${name}.json`, "utf8"));
  return {
    "simulation runs": () => simulationRuns(read("simulation") as readonly Simulation[]),
    "mutants run": () => mutantsRun(read("mutants") as Mutants),
    "models run": () => modelsRun(read("models") as Models),
  };
}

function simulationRuns(runs: readonly Simulation[]): readonly string[] {
  return table(
    ["seeds", "steps", "faults", "simulated hours", "violations", "rare events never seen"],
    runs.map(({ seeds, steps, faults, simulatedHours, violations, unseen }) => [
      grouped(seeds),
      grouped(steps),
      grouped(faults),
      grouped(Math.round(simulatedHours)),
      grouped(violations.length),
      unseen.length === 0 ? "none" : unseen.join(", "),
    ]),
  );
}

function mutantsRun({ mutants }: Mutants): readonly string[] {
  return table(
    ["what was made wrong", "found by", "at seed"],
    mutants.map(({ name, caught, seed, rule, test }) => [
      name,
      caught ? (fileOf(test) ?? rule ?? "its end") : "**nothing**",
      seed === null || test !== null ? "–" : grouped(seed),
    ]),
  );
}

/** The file's name alone: where it lies, the mutant's entry in the list says. */
function fileOf(test: string | null): string | undefined {
  return test?.split(":")[0]?.split("/").at(-1);
}

function modelsRun({ models }: Models): readonly string[] {
  return table(
    ["model", "holds", "states", "mutations found"],
    models.map(({ name, ok, states, mutants }) => [
      name,
      ok ? "yes" : "**no**",
      grouped(states),
      `${mutants.filter(({ caught }) => caught).length} of ${mutants.length}`,
    ]),
  );
}
