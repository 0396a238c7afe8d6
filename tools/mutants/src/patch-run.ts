/** The patches' run: each in a folder is tried on a copy of this repository. */
import { readFileSync, writeFileSync } from "node:fs";
import { complaints } from "./control.ts";
import { runScript } from "./children.ts";
import { type Bench, isMissed, patchesIn, type PatchFinding, tryPatch } from "./patches.ts";
import { tryAll } from "./queue.ts";
import type { MutantsRequest } from "./request.ts";
import { ROOT, tryAllUnit, trySeeds } from "./trials.ts";

/** How long a build may take, many times what it does, in milliseconds. */
const BUILD_MS = 600_000;

/** Whether every patch applies and is found, and nothing is where nothing is wrong. */
export async function runPatches(
  { only, seeds, json }: MutantsRequest,
  folder: string,
): Promise<boolean> {
  const patches = patchesIn(folder).filter((path) => path.includes(only));
  if (patches.length === 0) throw new Error(`${folder}: no *.patch and no *.diff is there`);
  const wrong = await complaints([], []);
  const bench: Bench = {
    build: async (root) => {
      if (await builds(root)) return true;
      // The rest goes without types, tests that build something included.
      writeFileSync(`${root}tsconfig.base.json`, withoutTypes(root));
      await builds(root);
      return false;
    },
    unit: (root, files) => tryAllUnit(sourcesOf(files), null, root),
    seeds: (root) => trySeeds(seeds, null, { root }),
  };
  const tried = await tryAll(patches, (patch) => tryPatch(patch, ROOT, bench));
  const missed = tried.filter(isMissed);
  if (json) console.log(JSON.stringify({ patches: tried, control: wrong.length === 0 }));
  else {
    for (const one of tried) console.log(lineOf(one));
    for (const complaint of wrong) console.log(`where nothing is wrong, ${complaint}`);
    console.log(`${tried.length - missed.length} of ${tried.length} patches found`);
  }
  return wrong.length === 0 && missed.length === 0;
}

async function builds(root: string): Promise<boolean> {
  const tsc = [`${root}node_modules/typescript/bin/tsc`, "-b", "tools/mutants"];
  const { code } = await runScript(tsc, { cwd: root, silentMs: BUILD_MS });
  return code === 0;
}

/** The compiler's options, with types taken as they are. */
function withoutTypes(root: string): string {
  const config = JSON.parse(readFileSync(`${root}tsconfig.base.json`, "utf8")) as {
    readonly compilerOptions: object;
  };
  return JSON.stringify({
    ...config,
    compilerOptions: { ...config.compilerOptions, noCheck: true },
  });
}

function sourcesOf(files: readonly string[]): readonly string[] {
  return [...new Set(files.filter((file) => /\.[cm]?tsx?$/.test(file)))];
}

function lineOf({ name, applies, builds, unit, sim }: PatchFinding): string {
  if (!applies) return `${name}: DOESN'T APPLY`;
  const types = builds ? "" : " (its types are wrong)";
  const bySeeds = sim.caught ? `${sim.rule} at seed ${sim.seeds}` : `not by ${sim.seeds} seeds`;
  const byUnit = unit.caught ? `${unit.test}` : "not by unit tests";
  const verdict = unit.caught || sim.caught ? "" : "NOT FOUND: ";
  return `${name}${types}: ${verdict}${byUnit}, ${bySeeds}`;
}
