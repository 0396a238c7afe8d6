/**
 * A simulated clock: time moves only when told to, and timers fire in order at exactly their time.
 *
 * Between any two steps promises settle, so awaiting code sees the same order in every run. It
 * doesn't know what runs on it.
 */
import type { Cancel, Clock } from "@tailwire/protocol";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Rounds of microtasks between two steps: more than the longest chain of promises in the cores. */
const SETTLE_ROUNDS = 64;

export class SimulatedClock implements Clock {
  #time = 0;
  /** Difference of the wall clock to the monotonic one; a jump changes it. */
  #wall: number;
  #order = 0;
  #timers: Timer[] = [];
  #soon: (() => void)[] = [];

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
    return this.#timers.length + this.#soon.length;
  }

  /** Sets the wall clock forward, or back. Timers don't notice. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  after(ms: number, callback: () => void): Cancel {
    this.#order += 1;
    const timer = { at: this.#time + Math.max(0, ms), order: this.#order, callback };
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1] as Timer).at > timer.at) index -= 1;
    this.#timers.splice(index, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /** Moves time on, and runs what is due on the way. */
  async advance(ms: number): Promise<void> {
    const until = this.#time + ms;
    await this.settle();
    while (this.#timers[0] !== undefined && this.#timers[0].at <= until) {
      const timer = this.#timers.shift() as Timer;
      this.#time = Math.max(this.#time, timer.at);
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
      const next = this.#timers[0];
      if (next === undefined || next.at > deadline) {
        throw new Error(`it doesn't hold within ${withinMs} simulated ms: ${condition.toString()}`);
      }
      await this.advance(next.at - this.#time);
    }
  }

  /** Lets promises settle and runs what is due soon, until nothing is left for now. */
  async settle(): Promise<void> {
    await microtasks();
    while (this.#soon.length > 0) {
      for (const callback of this.#soon.splice(0)) callback();
      await microtasks();
    }
  }
}

async function microtasks(): Promise<void> {
  for (let round = 0; round < SETTLE_ROUNDS; round += 1) await Promise.resolve();
}
