/** Models: one Promela file each, with its mutations and whether it has a claim about progress. */
import { readdirSync, readFileSync } from "node:fs";

export interface Model {
  readonly name: string;
  readonly text: string;
  /** The names behind `#ifdef MUTANT_…`: each breaks a rule, so a search must find an error. */
  readonly mutants: readonly string[];
  /** Whether it has an `ltl` claim, beside what it asserts. */
  readonly hasClaim: boolean;
}

const FOLDER = new URL("../spin/", import.meta.url);

/** All models, by name. */
export function readModels(): readonly Model[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".pml"))
    .toSorted()
    .map((file) =>
      modelOf(file.slice(0, -".pml".length), readFileSync(new URL(file, FOLDER), "utf8")),
    );
}

export function modelOf(name: string, text: string): Model {
  const mutants = new Set(Array.from(text.matchAll(/\bMUTANT_(\w+)/g), ([, mutant]) => mutant));
  return {
    name,
    text,
    mutants: [...mutants].filter((mutant) => mutant !== undefined).toSorted(),
    hasClaim: /^ltl\s/m.test(text),
  };
}
