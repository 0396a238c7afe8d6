/** Waits for time to pass. */
import type { Clock } from "@tailwire/protocol";

/** Settles after so many milliseconds. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}
