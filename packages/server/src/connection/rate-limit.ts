/**
 * How much a connection may send: messages, bytes and control frames, each by a bucket that fills
 * steadily and is emptied by use. It may run into debt, which has to be waited out; it doesn't know
 * sockets.
 */
import type { Clock } from "@tailwire/protocol";
import type { Limits } from "../limits.ts";

/** A debt at which publications are refused, in milliseconds: not reading didn't help. */
export const DEBT_REFUSE_MS = 2_000;

/** A debt that ends a connection, in milliseconds: its client doesn't feel the back-pressure. */
const DEBT_CLOSE_MS = 10_000;

/** The time that `limits.controlFramesMax` are for, in milliseconds. */
const CONTROL_MS = 10_000;

/** Milliseconds that sums of a clock's fractions may be off by. */
const ROUNDING_MS = 1;

/** Whom it concerns. */
export interface Indebted {
  /** A debt has been waited out. */
  rested(): void;
}

/**
 * A connection's input, against what it may send. First it rests, then it has gone too far.
 *
 * Token buckets, each stored as one timestamp (GCRA): when everything taken so far is paid for. The
 * longer ago that was, the more is left in the bucket.
 */
export class InboundRate {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #indebted: Indebted;
  #messagesPaidAt = -Infinity;
  #bytesPaidAt = -Infinity;
  #controlPaidAt = -Infinity;
  /** Until when nothing more should be read, by the monotonic clock. */
  #restsUntil = 0;

  constructor(clock: Clock, limits: Limits, indebted: Indebted) {
    this.#clock = clock;
    this.#limits = limits;
    this.#indebted = indebted;
  }

  /** Milliseconds until the debt is paid; 0 without one. */
  get debtMs(): number {
    // Nearly always, and asked for with every write.
    if (this.#restsUntil === 0) return 0;
    return Math.max(0, this.#restsUntil - this.#clock.monotonic());
  }

  /** Counts what came. False: it was far too much, and the connection has to end. */
  charge(messages: number, bytes: number): boolean {
    const { messagesPerSecond, bytesPerSecond, burstSeconds } = this.#limits;
    const now = this.#clock.monotonic();
    // Nothing is saved up for longer than a burst.
    const full = now - burstSeconds * 1_000;
    this.#messagesPaidAt =
      Math.max(full, this.#messagesPaidAt) + (messages / messagesPerSecond) * 1_000;
    this.#bytesPaidAt = Math.max(full, this.#bytesPaidAt) + (bytes / bytesPerSecond) * 1_000;
    const debtMs = Math.max(this.#messagesPaidAt, this.#bytesPaidAt) - now;
    if (debtMs <= 0) return true;
    const resting = this.debtMs > 0;
    this.#restsUntil = now + debtMs;
    if (!resting) this.#wait();
    return debtMs <= DEBT_CLOSE_MS;
  }

  /** Counts WebSocket pings and pongs. False: nobody needs as many, and the connection has to end. */
  chargeControl(frames: number): boolean {
    if (frames === 0) return true;
    const now = this.#clock.monotonic();
    const costMs = (frames / this.#limits.controlFramesMax) * CONTROL_MS;
    this.#controlPaidAt = Math.max(now - CONTROL_MS, this.#controlPaidAt) + costMs;
    // Clocks have fractions, which sums round.
    return this.#controlPaidAt - now < ROUNDING_MS;
  }

  #wait(): void {
    this.#clock.after(this.debtMs, () => {
      // More may have come meanwhile, from what was read before the reading stopped.
      if (this.debtMs > 0) return this.#wait();
      this.#restsUntil = 0;
      this.#indebted.rested();
    });
  }
}
