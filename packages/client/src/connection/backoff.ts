/** How long to wait before the next attempt: exponential, with full jitter. Computed here only. */
import type { Random } from "@tailwire/protocol";
import * as CLIENT_LIMITS from "../limits.ts";

/** The longest wait after so many failures in a row, 1 for the first: 1 s, 2 s, 4 s … 30 s. */
export function ceilingMs(failures: number): number {
  const grown = CLIENT_LIMITS.backoffMinMs * 2 ** (failures - 1);
  return Math.min(CLIENT_LIMITS.backoffMaxMs, grown);
}

/**
 * Milliseconds to wait after so many refusals in a row: what the server says, 1 s where it says
 * nothing, and from the third on at least a wait that grows, so that a server can't make a storm.
 */
export function refusalMs(refusals: number, saidMs: number | null | undefined): number {
  return Math.max(saidMs ?? CLIENT_LIMITS.backoffMinMs, refusals > 2 ? ceilingMs(refusals - 2) : 0);
}

/**
 * Milliseconds to wait before the next attempt to connect: anything up to that. Full jitter spreads
 * a crowd that was cut off at once over the whole interval.
 */
export function backoffMs(failures: number, random: Random): number {
  return Math.round(random.fraction() * ceilingMs(failures));
}
