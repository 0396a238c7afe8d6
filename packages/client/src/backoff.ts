/** How long to wait before the next attempt: exponential, with full jitter. Computed here only. */
import type { Random } from "@tailwire/protocol";
import { CLIENT_LIMITS } from "./limits.ts";

/**
 * Milliseconds to wait after so many failures in a row, 1 for the first: anything up to 1 s, 2 s,
 * 4 s … 30 s. Full jitter spreads a crowd that was cut off at once over the whole interval.
 */
export function backoffMs(failures: number, random: Random): number {
  const { backoffMinMs, backoffMaxMs } = CLIENT_LIMITS;
  const ceiling = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(random.fraction() * ceiling);
}
