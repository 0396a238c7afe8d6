/**
 * The pace of the core at the moment: other work on the machine makes an input look slow, and the yardstick
 * beside it as slow.
 */
import { performance } from "node:perf_hooks";
import { yardstick, YARDSTICK_MS } from "@tailwire/attacks/yardstick";

/** How many times as long as on a quiet core work takes now: the quickest of a few tries. 1 at least. */
export function slowness(tries: number): number {
  let quickest = Infinity;
  for (let left = tries; left > 0; left -= 1) {
    const began = performance.now();
    yardstick();
    quickest = Math.min(quickest, performance.now() - began);
  }
  return Math.max(1, quickest / YARDSTICK_MS);
}
