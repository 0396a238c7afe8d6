/**
 * The pace of the core at the moment: other work on the machine makes an input look slow, and a fixed piece
 * of work beside it as slow.
 */
import { performance } from "node:perf_hooks";

const TEXT = JSON.stringify(
  Array.from({ length: 64 }, (_, n) => ({ type: "publish", id: `r${n}`, data: "a".repeat(40) })),
);
const ROUNDS = 600;

/** Milliseconds that it takes on a quiet core: the least that was measured. */
const QUIET_MS = 16;

/** How many times as long as on a quiet core work takes now: the quickest of a few tries. 1 at least. */
export function slowness(tries: number): number {
  let quickest = Infinity;
  for (let left = tries; left > 0; left -= 1) {
    const began = performance.now();
    work();
    quickest = Math.min(quickest, performance.now() - began);
  }
  return Math.max(1, quickest / QUIET_MS);
}

/** Its result is of no use, but keeps the work from being left out. */
function work(): number {
  let length = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    length += (JSON.parse(TEXT) as unknown[]).length;
  }
  return length;
}
