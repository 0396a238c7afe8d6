/**
 * Module hooks that put a mutant in the place of a file as it is loaded: `--import` of
 * `register.js` installs them, in the process and in its worker threads.
 */
import { readFile } from "node:fs/promises";
import type { LoadHook, InitializeHook } from "node:module";
import { fileURLToPath } from "node:url";
import { apply } from "./apply.ts";
import type { Mutant } from "./mutant.ts";

let chosen: Mutant | null = null;

export const initialize: InitializeHook<Mutant> = (mutant) => {
  chosen = mutant;
};

export const load: LoadHook = async (url, context, nextLoad) => {
  if (chosen === null || !url.startsWith("file:") || !url.endsWith(`/${chosen.file}`)) {
    return nextLoad(url, context);
  }
  const text = await readFile(fileURLToPath(url), "utf8");
  return { format: "module", shortCircuit: true, source: apply(chosen, text) };
};
