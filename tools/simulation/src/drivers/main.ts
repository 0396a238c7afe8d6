/**
 * The simulator's command: replays one seed, or runs many on all cores, with every seed that ever
 * failed, and judges them. Exit 0 when no promise was broken and nothing rare was left unseen.
 */
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { describe, regimeOf } from "../run/regime.ts";
import { shrink } from "../run/shrink.ts";
import { SIGHTS } from "../run/sights.ts";
import { type Outcome, simulate } from "../run/simulate.ts";
import { runAll } from "./crew.ts";
import { requestOf, type SimulationRequest, USAGE } from "./request.ts";
import type { Job, Report } from "./worker.ts";

/** Seeds that have failed, a line each. */
const KEPT = new URL("../../seeds.txt", import.meta.url);

/** From so many seeds on everything rare has to be seen. */
const ENOUGH = 2_000;

/** Seeds that are run twice. */
const TWICE = 20;

/** Failures that are shrunk and shown; the others are named. */
const SHOWN_MAX = 3;

const EVENTS_SHOWN = 200;

process.on("unhandledRejection", () => undefined);

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(): Promise<number> {
  const request = requestOf(process.argv.slice(2), Date.now(), randomInt(1, 2 ** 31));
  return request.seed === null ? runMany(request) : replay(request, request.seed);
}

async function replay({ steps, trace, json }: SimulationRequest, seed: number): Promise<number> {
  const outcome = await simulate(seed, { steps });
  const again = await simulate(seed, { steps });
  if (trace) for (const event of outcome.history) console.log(JSON.stringify(event));
  const same = again.hash === outcome.hash;
  if (!same) say(`R28: ${outcome.hash} the first time, ${again.hash} the second`);
  if (outcome.violations.length > 0) await show(outcome);
  if (json)
    console.log(JSON.stringify({ seed, hash: outcome.hash, violations: outcome.violations }));
  else console.log(`seed ${seed}: ${outcome.violations.length} violations, hash ${outcome.hash}`);
  return same && outcome.violations.length === 0 ? 0 : 1;
}

async function runMany(request: SimulationRequest): Promise<number> {
  const began = Date.now();
  const reports: Report[] = [];
  const seen = new Set<string>();
  let toldAt = began;
  await runAll(jobsOf(request), (report) => {
    reports.push(report);
    for (const sight of report.seen) seen.add(sight);
    if (report.violations.length > 0) say(failure(report));
    if (Date.now() - toldAt < 10_000) return;
    toldAt = Date.now();
    const perSecond = reports.length / ((toldAt - began) / 1_000);
    say(`${reports.length} seeds, ${perSecond.toFixed(1)} per second`);
  });
  const failed = reports.filter(({ violations }) => violations.length > 0);
  const unseen = reports.length < ENOUGH ? [] : SIGHTS.filter((sight) => !seen.has(sight));
  keep(failed);
  for (const { seed, steps } of failed.slice(0, SHOWN_MAX))
    await show(await simulate(seed, { steps }));
  const sum = (of: (report: Report) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const result = {
    seeds: reports.length,
    steps: sum(({ steps }) => steps),
    faults: sum(({ faults }) => faults),
    simulatedHours: Math.round(sum(({ simulatedMs }) => simulatedMs) / 3_600_000),
    violations: failed.flatMap(({ seed, violations }) =>
      [...new Set(violations.map(({ rule }) => rule))].map((rule) => ({ rule, seed })),
    ),
    unseen,
    seedsPerSecond: Number((reports.length / ((Date.now() - began) / 1_000)).toFixed(2)),
  };
  console.log(JSON.stringify(result, null, request.json ? 0 : 2));
  return result.violations.length === 0 && unseen.length === 0 ? 0 : 1;
}

/** The seeds that have failed before, then fresh ones. */
function* jobsOf({ from, count, until, steps }: SimulationRequest): Generator<Job, void> {
  for (const seed of keptSeeds()) yield { seed, steps, twice: false };
  for (let index = 0; index < count && Date.now() < until; index += 1) {
    yield { seed: from + index, steps, twice: index < TWICE };
  }
}

function keptSeeds(): readonly number[] {
  const lines = readFileSync(KEPT, "utf8").split("\n");
  return lines.filter((line) => /^\d/.test(line)).map((line) => Number.parseInt(line, 10));
}

/** Writes down seeds that have failed for the first time. */
function keep(failed: readonly Report[]): void {
  const known = new Set(keptSeeds());
  for (const { seed, violations } of failed) {
    if (!known.has(seed)) appendFileSync(KEPT, `${seed} ${violations[0]?.rule}\n`);
  }
}

function failure({ seed, violations }: Pick<Report, "seed" | "violations">): string {
  const [first] = violations;
  return `seed ${seed}: ${first?.rule} ${first?.detail} (${violations.length} in all)`;
}

/** Everything that whoever looks for the fault needs. */
async function show(outcome: Outcome): Promise<void> {
  const { seed, violations } = outcome;
  const [first] = violations;
  if (first === undefined) return;
  say(`\nseed ${seed} at commit ${commit()}`);
  for (const { rule, detail } of violations) say(`  ${rule} ${detail}`);
  say(JSON.stringify(describe(regimeOf(seed, { steps: outcome.steps }))));
  const { options, outcome: smallest } = await shrink(outcome, first.rule);
  say(`shrunk to ${options.steps} steps with ${options.only.join(", ") || "no faults"}`);
  for (const event of smallest.history.slice(-EVENTS_SHOWN)) say(JSON.stringify(event));
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  say(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 2;
}
