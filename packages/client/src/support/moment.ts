/** Moments of an application's clock, and how long ago they were. */
import type { Clock } from "@tailwire/protocol";

export interface Moment {
  /** By the monotonic clock. */
  readonly at: number;
  /** By the wall clock. */
  readonly wall: number;
}

export function momentOf(clock: Clock): Moment {
  return { at: clock.monotonic(), wall: clock.now() };
}

/** By the clock that advanced more: one may sleep with the machine, the other may be set. */
export function ageMs(clock: Clock, { at, wall }: Moment): number {
  return Math.max(clock.monotonic() - at, clock.now() - wall);
}
