/**
 * The scope of one attempt at a connection, and of the connection that comes of it: timers, and
 * whatever else has to end with it. It doesn't know their purpose.
 */
import type { Cancel, Clock } from "@tailwire/protocol";

export class Scope {
  /** The time, and timers that end otherwise. */
  readonly clock: Clock;
  readonly #ends = new Set<Cancel>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Calls back after `ms` milliseconds, unless all has ended before. */
  after(ms: number, callback: () => void): Cancel {
    const cancel = this.clock.after(ms, () => {
      forget();
      callback();
    });
    const forget = this.onEnd(cancel);
    return () => {
      forget();
      cancel();
    };
  }

  /** Calls back when all ends, unless that is taken back. */
  onEnd(callback: () => void): Cancel {
    this.#ends.add(callback);
    return () => void this.#ends.delete(callback);
  }

  /** Ends all that there is. Timers set afterwards belong to the next attempt. */
  end(): void {
    const ends = [...this.#ends];
    this.#ends.clear();
    for (const end of ends) end();
  }
}
