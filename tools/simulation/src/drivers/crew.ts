/** A crew of workers, as many as there are cores: each is given the next seed when it is done. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Job, Report } from "./worker.ts";

/** What a seed makes is mostly gone when it ends: with room for it, little of it is moved about. */
const YOUNG_MB = 192;

/**
 * Runs jobs until there are none, and tells of each when it is done. A worker that ends by itself
 * ends the whole run.
 */
export async function runAll(
  jobs: Iterator<Job, unknown>,
  told: (report: Report) => void,
): Promise<void> {
  const workers = Array.from({ length: availableParallelism() }, () => oneWorker(jobs, told));
  await Promise.all(workers);
}

function oneWorker(jobs: Iterator<Job, unknown>, told: (report: Report) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("worker.js", import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const next = (): void => {
      const job = jobs.next();
      if (job.done === true) return void worker.terminate().then(() => resolve());
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
