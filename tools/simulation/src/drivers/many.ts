/**
 * Many seeds: those that have failed before, fresh ones, and those that follow from the commit. It runs
 * them on all cores, says how far it is, and writes down what failed.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { changingSeeds, findingLine } from "./changing.ts";
import { coverageOfCores } from "./cores.ts";
import { shareOf } from "./coverage.ts";
import { runAll, runAllCovered } from "./crew.ts";
import type { SimulationRequest } from "./request.ts";
import { print, resultOf, type Took } from "./result.ts";
import { say, showSeed } from "./show.ts";
import type { Job, Report } from "./worker.ts";

/** Seeds that have failed, a line each. */
const KEPT = new URL("../../seeds.txt", import.meta.url);

/** The findings of changing seeds in the last run. */
const FINDINGS = new URL("../../../../.tmp/sim-findings.txt", import.meta.url);

/** Seeds that are run twice. */
const TWICE = 20;

/** Failures that are shrunk and shown; the others are named. */
const SHOWN_MAX = 3;

/** How often it says how far it is, in milliseconds. */
const TELL_MS = 10_000;

/** Runs what is asked for. Whether all of it went well. */
export async function runMany(request: SimulationRequest, commit: string): Promise<boolean> {
  const began = Date.now();
  const changing = new Set(changingSeeds(request.salt ?? commit, request.changing));
  const reports: Report[] = [];
  let toldAt = began;
  const told = (report: Report): void => {
    reports.push(report);
    if (report.violations.length > 0) say(failure(report));
    const now = Date.now();
    if (now - toldAt < TELL_MS) return;
    toldAt = now;
    say(progress(reports.length, took(began), request));
  };
  const jobs = jobsOf(request, changing);
  const files = request.coverage
    ? coverageOfCores(await runAllCovered(jobs, told))
    : await runAll(jobs, told);
  const whole = took(began);
  const [found, failed] = partition(reports, ({ seed }) => changing.has(seed));
  keepSeeds(failed);
  if (request.changing > 0) keepFindings(found, commit);
  for (const { seed, steps } of [...failed, ...found].slice(0, SHOWN_MAX))
    await showSeed(seed, steps);
  const result = resultOf(reports, failed, found, whole);
  const share = files === undefined ? 100 : shareOf(files);
  print(result, files, request.json);
  if (share < request.below) say(`${share} % is below ${request.below} %`);
  return result.violations.length === 0 && result.unseen.length === 0 && share >= request.below;
}

/** The seeds that have failed before, then fresh ones. */
function* jobsOf(request: SimulationRequest, changing: Iterable<number>): Generator<Job, void> {
  const { from, count, atLeast, until, steps } = request;
  if (count > 0) for (const seed of keptSeeds()) yield { seed, steps, twice: false };
  for (const seed of changing) yield { seed, steps, twice: false };
  for (let index = 0; index < count && (index < atLeast || Date.now() < until); index += 1) {
    // A second time would run the same lines.
    yield { seed: from + index, steps, twice: index < TWICE && !request.coverage };
  }
}

function keptSeeds(): readonly number[] {
  const lines = readFileSync(KEPT, "utf8").split("\n");
  return lines.filter((line) => /^\d/.test(line)).map((line) => Number.parseInt(line, 10));
}

/** Writes down seeds that have failed for the first time. */
function keepSeeds(failed: readonly Report[]): void {
  const known = new Set(keptSeeds());
  for (const { seed, violations } of failed) {
    if (!known.has(seed)) appendFileSync(KEPT, `${seed} ${violations[0]?.rule}\n`);
  }
}

function keepFindings(found: readonly Report[], commit: string): void {
  mkdirSync(new URL(".", FINDINGS), { recursive: true });
  writeFileSync(FINDINGS, found.map((report) => `${findingLine(report, commit)}\n`).join(""));
}

function failure({ seed, violations }: Report): string {
  const [first] = violations;
  return `seed ${seed}: ${first?.rule} ${first?.detail} (${violations.length} in all)`;
}

/** The time since then; what is computed before it, of this process, is next to nothing. */
function took(began: number): Took {
  const { user, system } = process.cpuUsage();
  return { elapsedMs: Date.now() - began, cpuMs: (user + system) / 1_000 };
}

function progress(done: number, { elapsedMs, cpuMs }: Took, { until }: SimulationRequest): string {
  const perSecond = done / (elapsedMs / 1_000);
  const perCpuSecond = done / (cpuMs / 1_000);
  const leftMs = until - Date.now();
  const left =
    leftMs > 0 && leftMs < Infinity ? `, ${(leftMs / 60_000).toFixed(1)} minutes left` : "";
  const speed = `${perSecond.toFixed(1)} per second, ${perCpuSecond.toFixed(2)} per second and core`;
  return `${done} seeds, ${speed}${left}`;
}

/** Reports with a violation: those of one kind, and the others. */
function partition(
  reports: readonly Report[],
  isOne: (report: Report) => boolean,
): readonly [ones: readonly Report[], others: readonly Report[]] {
  const failed = reports.filter(({ violations }) => violations.length > 0);
  return [failed.filter(isOne), failed.filter((report) => !isOne(report))];
}
