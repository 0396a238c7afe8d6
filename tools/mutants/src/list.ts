/** The list's run: each mutant is tried by whom it names, and by both where that is asked for. */
import { readFileSync } from "node:fs";
import { apply } from "./apply.ts";
import { complaints } from "./control.ts";
import { type Mutant, sourceOf } from "./mutant.ts";
import { MUTANTS } from "./mutants.ts";
import { tryAll } from "./queue.ts";
import type { MutantsRequest } from "./request.ts";
import { tryAllUnit, trySeeds, tryUnit } from "./trials.ts";

/** The fate of a mutant. */
interface Tried {
  readonly name: string;
  readonly foundBy: Mutant["foundBy"];
  /** Whether it was found by whom it names. */
  readonly caught: boolean;
  /** The seed that found it, how many were run, and what they found. */
  readonly seed: number | null;
  readonly seeds: number;
  readonly rule: string | null;
  readonly detail: string | null;
  /** The seed that was tried first. */
  readonly hint: number | null;
  /** The unit test that found it. */
  readonly test: string | null;
}

/** Whether every mutant was found, and nothing where nothing is wrong. */
export async function runList(request: MutantsRequest): Promise<boolean> {
  const { only, by } = request;
  const chosen = MUTANTS.filter(
    ({ name, foundBy }) => name.includes(only) && (by === null || by === foundBy),
  );
  // A place that has moved is found out before hours are spent on the others.
  for (const one of chosen) apply(one, textOf(one));
  const files = chosen.flatMap((one) => (one.foundBy === "unit" ? [one.test] : []));
  const hints = request.unit || files.length < chosen.length ? chosen.flatMap(hintOf) : null;
  const wrong = await complaints([...new Set(files)], hints);
  const mutants = await tryAll(chosen, (one) => attempt(one, request));
  const missed = mutants.filter(({ caught }) => !caught);
  if (request.json) console.log(JSON.stringify({ mutants, control: wrong.length === 0 }));
  else {
    for (const one of mutants) console.log(lineOf(one));
    for (const complaint of wrong) console.log(`where nothing is wrong, ${complaint}`);
    console.log(`${mutants.length - missed.length} of ${mutants.length} mutants found`);
  }
  return wrong.length === 0 && missed.length === 0;
}

function hintOf({ hint }: Mutant): readonly number[] {
  return hint === undefined ? [] : [hint];
}

function textOf({ file }: Mutant): string {
  return readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8");
}

async function attempt(mutant: Mutant, { seeds, unit }: MutantsRequest): Promise<Tried> {
  const { name, foundBy } = mutant;
  const hints = hintOf(mutant);
  const bySeeds = unit || foundBy === "seed" ? await trySeeds(seeds, name, { hints }) : null;
  const named = foundBy === "unit" ? await tryUnit({ files: [mutant.test] }, name) : null;
  const byUnit = named ?? (unit ? await tryAllUnit([sourceOf(mutant)], name) : null);
  const { caught = false } = (foundBy === "seed" ? bySeeds : byUnit) ?? {};
  return {
    name,
    foundBy,
    caught,
    seed: bySeeds?.seed ?? null,
    seeds: bySeeds?.seeds ?? 0,
    rule: bySeeds?.rule ?? null,
    detail: bySeeds?.detail ?? byUnit?.detail ?? null,
    hint: mutant.hint ?? null,
    test: byUnit?.test ?? null,
  };
}

function lineOf({ name, caught, seed, seeds, rule, test, hint }: Tried): string {
  const moved = hint === null || hint === seed ? "" : `, not at seed ${hint} any more`;
  const bySeeds = rule === null ? [] : [`${rule} at seed ${seed}, the ${seeds}. tried${moved}`];
  const ways = [...bySeeds, ...(test === null ? [] : [test])];
  const how = caught
    ? ways.join(", ")
    : `NOT FOUND${ways.length > 0 ? ` but ${ways.join(", ")}` : ""}`;
  return `${name}: ${how}`;
}
