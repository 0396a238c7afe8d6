/** A thread that runs its share of the inputs of one part. */
import { parentPort, workerData } from "node:worker_threads";
import { createClient } from "@tailwire/client";
import { createTailwire } from "@tailwire/server";
import { runApplication } from "./application/run-application.ts";
import { runInputs } from "./run.ts";

export interface Share {
  readonly part: "wire" | "application";
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  readonly step: number;
}

const share = workerData as Share;

/** Tells a number while the run goes on, and the report at its end. */
function tell(word: unknown): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
  parentPort?.postMessage(word);
}

if (share.part === "wire") {
  tell(runInputs(share.seed, share.from, share.count, share.step));
} else {
  const onInput = (number: number): void => tell(number);
  tell(await runApplication({ ...share, create: createTailwire, createClient, onInput }));
}
