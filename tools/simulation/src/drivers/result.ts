/** The result of many seeds: what was run, and what was found in it. */
import { availableParallelism } from "node:os";
import { SIGHTS } from "../run/sights.ts";
import { coverageText, type FileCoverage, shareOf } from "./coverage.ts";
import type { Report } from "./worker.ts";

/** From so many seeds on everything rare has to be seen. */
const ENOUGH = 2_000;

export interface Result {
  readonly seeds: number;
  readonly steps: number;
  readonly faults: number;
  readonly simulatedHours: number;
  readonly violations: readonly { readonly rule: string; readonly seed: number }[];
  /** The findings of seeds that change with the commit. */
  readonly findings: readonly { readonly rule: string; readonly seed: number }[];
  readonly unseen: readonly string[];
  readonly seedsPerSecond: number;
  readonly seedsPerSecondAndCore: number;
  /** The same where the machine does nothing else: by the time that was computed. */
  readonly seedsPerCpuSecond: number;
}

/** How long a run took, by the clock and of all cores' time. */
export interface Took {
  readonly elapsedMs: number;
  readonly cpuMs: number;
}

export function resultOf(
  reports: readonly Report[],
  failed: readonly Report[],
  found: readonly Report[],
  { elapsedMs, cpuMs }: Took,
): Result {
  const sum = (of: (report: Report) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const seen = new Set(reports.flatMap((report) => report.seen));
  const perSecond = reports.length / (elapsedMs / 1_000);
  return {
    seeds: reports.length,
    steps: sum(({ steps }) => steps),
    faults: sum(({ faults }) => faults),
    simulatedHours: Math.round(sum(({ simulatedMs }) => simulatedMs) / 3_600_000),
    violations: rulesOf(failed),
    findings: rulesOf(found),
    unseen: reports.length < ENOUGH ? [] : SIGHTS.filter((sight) => !seen.has(sight)),
    seedsPerSecond: rounded(perSecond),
    seedsPerSecondAndCore: rounded(perSecond / availableParallelism()),
    seedsPerCpuSecond: rounded(reports.length / (cpuMs / 1_000)),
  };
}

function rulesOf(reports: readonly Report[]): Result["violations"] {
  return reports.flatMap(({ seed, violations }) =>
    [...new Set(violations.map(({ rule }) => rule))].map((rule) => ({ rule, seed })),
  );
}

/** On standard output: a line of JSON, or what a person reads. */
export function print(result: Result, files: readonly FileCoverage[] | void, json: boolean): void {
  if (json) {
    const coverage =
      files === undefined
        ? {}
        : {
            share: shareOf(files),
            files: files.map(({ file, lines, missed }) => ({ file, lines, missed })),
          };
    return console.log(JSON.stringify({ ...result, ...coverage }));
  }
  if (files !== undefined) console.log(coverageText(files));
  console.log(JSON.stringify(result, null, 2));
}

function rounded(number: number): number {
  return Number(number.toFixed(2));
}
