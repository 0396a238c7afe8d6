/**
 * Deadlines of many things on one timer.
 *
 * A thing says when it is due next, as often as it likes: moving a deadline later costs one
 * assignment, since a bucket that comes too early just files the thing again. Deadlines are
 * met up to one tick late, never early.
 */
import type { Cancel, Clock } from "@tailwire/protocol";

/** How exact deadlines are, in milliseconds. The shortest real one is seconds long. */
const TICK_MS = 250;

export interface Due {
  /** When it is due, by the monotonic clock. Infinity: never. */
  dueAt: number;
  /** The bucket it is filed in; null where in none. Only {@link Deadlines} touches it. */
  filedAt: number | null;
  /** Called when `dueAt` has passed. It may set a new `dueAt`. */
  onDue(): void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #buckets = new Map<number, Due[]>();
  #cancel: Cancel | null = null;
  #timerAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets when a thing is due. */
  set(due: Due, dueAt: number): void {
    due.dueAt = dueAt;
    this.#file(due);
  }

  /** Forgets a thing. */
  clear(due: Due): void {
    due.dueAt = Infinity;
    due.filedAt = null;
  }

  /** Things filed, stale ones included. */
  get size(): number {
    let size = 0;
    for (const bucket of this.#buckets.values()) size += bucket.length;
    return size;
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#timerAt = Infinity;
    this.#buckets.clear();
  }

  #file(due: Due): void {
    if (due.dueAt === Infinity) return;
    const tick = Math.ceil(due.dueAt / TICK_MS);
    // Filed earlier already: that bucket will file it again. Filed later: this entry counts.
    if (due.filedAt !== null && due.filedAt <= tick) return;
    due.filedAt = tick;
    const bucket = this.#buckets.get(tick);
    if (bucket === undefined) this.#buckets.set(tick, [due]);
    else bucket.push(due);
    if (tick < this.#timerAt) this.#arm(tick);
  }

  #arm(tick: number): void {
    this.#cancel?.();
    this.#timerAt = tick;
    const ms = Math.max(0, tick * TICK_MS - this.#clock.monotonic());
    this.#cancel = this.#clock.after(ms, () => this.#run());
  }

  #run(): void {
    this.#cancel = null;
    this.#timerAt = Infinity;
    const now = this.#clock.monotonic();
    const ticks = [...this.#buckets.keys()].filter((tick) => tick * TICK_MS <= now);
    for (const tick of ticks.toSorted((a, b) => a - b)) {
      const bucket = this.#buckets.get(tick) ?? [];
      this.#buckets.delete(tick);
      for (const due of bucket) this.#visit(due, tick, now);
    }
    let next = Infinity;
    for (const tick of this.#buckets.keys()) if (tick < next) next = tick;
    if (next < this.#timerAt) this.#arm(next);
  }

  #visit(due: Due, tick: number, now: number): void {
    if (due.filedAt !== tick) return;
    due.filedAt = null;
    if (due.dueAt <= now) {
      const met = due.dueAt;
      due.onDue();
      // Due once: what wants to be called again says so.
      if (due.dueAt === met) due.dueAt = Infinity;
    }
    this.#file(due);
  }
}
