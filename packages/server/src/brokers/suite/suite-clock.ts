/**
 * A clock for brokers under test: its time passes when a case says so.
 *
 * A broker whose logs live in another process takes its time from here as well: its adapter hands it over
 * with each call. It doesn't know what runs on it.
 */
import type { Cancel, Clock } from "@tailwire/protocol";

/** Steps in which time passes while a condition is waited for, in milliseconds. */
const STEP_MS = 100;

/** How long a condition is waited for at most, in milliseconds of this clock. */
const UNTIL_MS = 10_000;

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class SuiteClock implements Clock {
  readonly #settle: () => Promise<void>;
  #time = 0;
  /** Difference of the wall clock to the monotonic one; a jump changes it. */
  #wall: number;
  readonly #timers = new Set<Timer>();

  /**
   * @param settle - lets everything happen that has begun: turns of the event loop, and for a broker in
   * another process a round trip to it, behind which pushes that were sent have come.
   */
  constructor(settle: () => Promise<void>, startAt = 1_700_000_000_000) {
    this.#settle = settle;
    this.#wall = startAt;
  }

  now(): number {
    return this.#wall + this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  after(ms: number, callback: () => void): Cancel {
    const timer = { at: Number.isNaN(ms) ? Infinity : this.#time + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(callback: () => void): void {
    const run = async (): Promise<void> => {
      await this.#settle();
      callback();
    };
    void run();
  }

  /** Sets the wall clock forward, or back. Timers don't notice. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  /** Moves time on, and lets everything happen that is due on the way. */
  async advance(ms: number): Promise<void> {
    const end = this.#time + ms;
    await this.#settle();
    for (let next = this.#nextBy(end); next !== null; next = this.#nextBy(end)) {
      this.#timers.delete(next);
      this.#time = Math.max(this.#time, next.at);
      next.callback();
      await this.#settle();
    }
    this.#time = end;
  }

  /** Moves time on to where a condition holds. @throws Error when it doesn't within 10 s. */
  async until(condition: () => boolean): Promise<void> {
    const end = this.#time + UNTIL_MS;
    await this.#settle();
    while (!condition()) {
      if (this.#time >= end) throw new Error(`it doesn't hold in time: ${condition.toString()}`);
      await this.advance(STEP_MS);
    }
  }

  /** The timer that is due first, where that is by an instant; of several the one set first. */
  #nextBy(end: number): Timer | null {
    let first: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.at <= end && timer.at < (first?.at ?? Infinity)) first = timer;
    }
    return first;
  }
}
