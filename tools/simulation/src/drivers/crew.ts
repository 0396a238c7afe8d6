/** A crew of workers, as many as there are cores: each is given the next seed when it is done. */
import { availableParallelism } from "node:os";
import { MessageChannel, Worker } from "node:worker_threads";
import type { ScriptCoverage } from "./coverage.ts";
import type { Job, Report } from "./worker.ts";

/** MB of V8's young generation. A run's objects mostly die with it, so room for them saves copying. */
const YOUNG_MB = 192;

const RESOURCES = { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } };

type Told = (report: Report) => void;

/**
 * Runs jobs until there are none, and tells of each when it is done. A worker that ends by itself
 * ends the whole run.
 */
export async function runAll(jobs: Iterator<Job, unknown>, told: Told): Promise<void> {
  await crew(async () => {
    const worker = new Worker(new URL("worker.js", import.meta.url), RESOURCES);
    await give(worker, jobs, told);
    await worker.terminate();
  });
}

/** The same, with which code each worker has run: one list per worker. */
export function runAllCovered(
  jobs: Iterator<Job, unknown>,
  told: Told,
): Promise<readonly (readonly ScriptCoverage[])[]> {
  return crew(async () => {
    const { port1, port2 } = new MessageChannel();
    const url = new URL("covered-worker.js", import.meta.url);
    const options = { ...RESOURCES, workerData: port2, transferList: [port2] };
    const worker = new Worker(url, options);
    await give(worker, jobs, told);
    const coverage = new Promise<readonly ScriptCoverage[]>((resolve, reject) => {
      port1.once("message", resolve);
      worker.once("error", reject);
    });
    port1.postMessage("take");
    try {
      return await coverage;
    } finally {
      await worker.terminate();
    }
  });
}

function crew<Result>(member: () => Promise<Result>): Promise<readonly Result[]> {
  return Promise.all(Array.from({ length: availableParallelism() }, member));
}

/** Gives a worker one job after the other. */
function give(worker: Worker, jobs: Iterator<Job, unknown>, told: Told): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const job = jobs.next();
      if (job.done === true) return resolve();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread, no window
      worker.postMessage(job.value);
    };
    worker.on("message", (report: Report) => {
      told(report);
      next();
    });
    worker.on("error", reject);
    next();
  });
}
