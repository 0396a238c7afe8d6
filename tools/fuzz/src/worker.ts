/** A thread that runs its share of the inputs. */
import { parentPort, workerData } from "node:worker_threads";
import { runInputs } from "./run.ts";

export interface Share {
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  readonly step: number;
}

const { seed, from, count, step } = workerData as Share;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
parentPort?.postMessage(runInputs(seed, from, count, step));
