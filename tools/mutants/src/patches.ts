/**
 * Patches: bugs as unified diffs against the sources. Each is planted in a scratch, built, and looked for
 * by unit tests and then by seeds. It doesn't know how either is run.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Finding, UnitFinding } from "./finding.ts";
import { makeScratch, removeScratch } from "./scratch.ts";

/** How a scratch is built and tried. */
export interface Bench {
  /** Builds what seeds run on, types right or not. Whether they are right. */
  build(root: string): Promise<boolean>;
  /** Runs the unit tests that load one of these sources, paths from the root. */
  unit(root: string, sources: readonly string[]): Promise<UnitFinding>;
  seeds(root: string): Promise<Finding>;
}

/** The fate of a patch. Nothing was looked for where it doesn't apply. */
export interface PatchFinding {
  readonly name: string;
  readonly applies: boolean;
  readonly builds: boolean;
  readonly unit: Pick<UnitFinding, "caught" | "test">;
  readonly sim: Pick<Finding, "caught" | "seeds" | "rule">;
}

/** The files in a folder that are patches, in order of their names. */
export function patchesIn(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => /\.(?:patch|diff)$/.test(name));
  return names.toSorted().map((name) => resolve(folder, name));
}

/** Tries a patch on a copy of what is below a root. */
export async function tryPatch(patch: string, root: string, bench: Bench): Promise<PatchFinding> {
  const name = basename(patch);
  const scratch = makeScratch(root);
  try {
    const touched = plant(patch, scratch);
    if (touched === null) return { name, applies: false, builds: false, ...NOTHING };
    const builds = await bench.build(scratch);
    const { test, ...unit } = await bench.unit(scratch, touched);
    const { caught, seeds, rule } = await bench.seeds(scratch);
    return {
      name,
      applies: true,
      builds,
      unit: { caught: unit.caught, test },
      sim: { caught, seeds, rule },
    };
  } finally {
    removeScratch(scratch);
  }
}

const NOTHING = {
  unit: { caught: false, test: null },
  sim: { caught: false, seeds: 0, rule: null },
} as const;

/** Whether nobody has found it, or nobody could look for it. */
export function isMissed({ applies, unit, sim }: PatchFinding): boolean {
  return !applies || (!unit.caught && !sim.caught);
}

/** Applies a patch. The files that it touches; null: it can't be applied. */
function plant(patch: string, root: string): readonly string[] | null {
  const touched = touchedBy(patch, root);
  if (touched !== null) gitApply([stripOf(patch, root) ?? "", "--whitespace=nowarn", patch], root);
  return touched;
}

/** The files that a patch would touch, paths from the root; null: it can't be applied there. */
function touchedBy(patch: string, root: string): readonly string[] | null {
  const strip = stripOf(patch, root);
  if (strip === null) return null;
  const lines = gitApply([strip, "--numstat", patch], root).trim().split("\n");
  return lines.map((line) => line.split("\t")[2] ?? "");
}

/** How a patch applies: with the folders that git puts before paths, or without; null: not at all. */
function stripOf(patch: string, root: string): string | null {
  for (const strip of ["-p1", "-p0"]) {
    try {
      gitApply([strip, "--check", patch], root);
      return strip;
    } catch {
      // Perhaps the other way.
    }
  }
  return null;
}

function gitApply(args: readonly string[], cwd: string): string {
  // A repository above the scratch would have git leave out what lies outside of it.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(join(cwd, ".")) };
  return execFileSync("git", ["apply", ...args], { cwd, env, encoding: "utf8", stdio: "pipe" });
}
