/** A worker: runs the seeds that it is given, one after another, and tells how each went. */
import { parentPort } from "node:worker_threads";
import { simulate } from "./simulate.ts";
import type { Violation } from "../checker/violation.ts";

/** A seed to run. */
export interface Job {
  readonly seed: number;
  readonly steps: number;
  /** Once more, to see that it runs the same. */
  readonly twice: boolean;
}

/** How a seed went, without its history. */
export interface Report {
  readonly seed: number;
  readonly steps: number;
  readonly faults: number;
  readonly simulatedMs: number;
  readonly violations: readonly Violation[];
  readonly seen: readonly string[];
}

// Most errors in a run are refusals that are only counted, and a stack trace costs more than the refusal.
// To see a failure's trace, run its seed again.
Error.stackTraceLimit = 0;

/** Rejections that nobody has handled: the cores must not let any escape. */
const escaped: string[] = [];
process.on("unhandledRejection", (error) => {
  escaped.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
});

async function run({ seed, steps, twice }: Job): Promise<Report> {
  const outcome = await simulate(seed, { steps });
  const { faults, simulatedMs, seen, hash } = outcome;
  const violations: Violation[] = [...outcome.violations];
  if (twice) {
    const { hash: again } = await simulate(seed, { steps });
    if (again !== hash) violations.push({ rule: "R28", detail: `${hash}, then ${again}` });
  }
  // Rejections that nobody has caught are told when the promises have settled.
  await new Promise((resolve) => setImmediate(resolve));
  for (const detail of escaped.splice(0)) violations.push({ rule: "R27", detail });
  return { seed, steps: outcome.steps, faults, simulatedMs, violations, seen };
}

parentPort?.on("message", (job: Job) => {
  void run(job).then((report) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, no window
    parentPort?.postMessage(report);
  });
});
