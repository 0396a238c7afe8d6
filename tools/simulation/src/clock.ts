/**
 * A simulated clock: time moves only when told to, and timers fire in order at exactly their time.
 *
 * Between any two steps promises settle, so awaiting code sees the same order in every run. It
 * doesn't know what runs on it.
 */
import type { Cancel, Clock } from "@tailwire/protocol";
import { untilSettled } from "./drivers/ticks.ts";
import { Timers } from "./timers.ts";

export class SimulatedClock implements Clock {
  #time = 0;
  /** Difference of the wall clock to the monotonic one; a jump changes it. */
  #wall: number;
  readonly #timers = new Timers();
  #soon: (() => void)[] = [];
  /** Timers and callbacks that have fired since it began. */
  fired = 0;

  constructor(startAt = 1_700_000_000_000) {
    this.#wall = startAt;
  }

  now(): number {
    return Math.floor(this.#wall + this.#time);
  }

  monotonic(): number {
    return this.#time;
  }

  /** Timers and callbacks that are still to come. */
  get pending(): number {
    return this.#timers.size + this.#soon.length;
  }

  /** Sets the wall clock forward, or back. Timers don't notice. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  after(ms: number, callback: () => void): Cancel {
    const at = Number.isNaN(ms) ? Infinity : this.#time + Math.max(0, ms);
    return this.#timers.add(at, callback);
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /** Moves time on, and runs what is due on the way. */
  async advance(ms: number): Promise<void> {
    const until = this.#time + ms;
    await this.settle();
    for (;;) {
      const timer = this.#timers.takeDue(until);
      if (timer === null) break;
      this.#time = Math.max(this.#time, timer.at);
      this.fired += 1;
      timer.callback();
      await this.settle();
    }
    this.#time = until;
  }

  /** Moves time on to where a condition holds. @throws Error when it doesn't within `withinMs`. */
  async until(condition: () => boolean, withinMs = 120_000): Promise<void> {
    const deadline = this.#time + withinMs;
    await this.settle();
    while (!condition()) {
      const next = this.#timers.nextAt;
      if (next > deadline) {
        throw new Error(`it doesn't hold within ${withinMs} simulated ms: ${condition.toString()}`);
      }
      await this.advance(next - this.#time);
    }
  }

  /** Lets promises settle and runs what is due soon, until nothing is left for now. */
  async settle(): Promise<void> {
    await untilSettled();
    while (this.#soon.length > 0) {
      const due = this.#soon;
      this.#soon = [];
      for (const callback of due) callback();
      this.fired += due.length;
      await untilSettled();
    }
  }
}

/** A signal that is aborted after so many milliseconds. */
export function abortedAfter(clock: Clock, ms: number): AbortSignal {
  const abort = new AbortController();
  clock.after(ms, () => abort.abort(new Error("taken back")));
  return abort.signal;
}
