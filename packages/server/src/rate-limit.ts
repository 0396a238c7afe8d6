/**
 * How much a connection may send: messages and bytes, each by a bucket that fills steadily and is
 * emptied by use. It may run into debt, which has to be waited out; it doesn't know sockets.
 */
import type { Clock } from "@tailwire/protocol";
import type { Limits } from "./limits.ts";

/** A debt at which publications are refused, in milliseconds: not reading didn't help. */
export const DEBT_REFUSE_MS = 2_000;

/** A debt that ends a connection, in milliseconds: its client doesn't feel the back-pressure. */
const DEBT_CLOSE_MS = 10_000;

/** What a connection has sent, against what it may. First it rests, then it has gone too far. */
export class InboundRate {
  readonly #clock: Clock;
  readonly #messages: RateLimit;
  readonly #bytes: RateLimit;
  readonly #onRested: () => void;
  /** Until when nothing more should be read, by the monotonic clock. */
  #restsUntil = 0;

  /** `onRested` is called when a debt has been waited out. */
  constructor(clock: Clock, limits: Limits, onRested: () => void) {
    const { messagesPerSecond, bytesPerSecond, burstSeconds } = limits;
    this.#clock = clock;
    this.#messages = new RateLimit(clock, messagesPerSecond, burstSeconds);
    this.#bytes = new RateLimit(clock, bytesPerSecond, burstSeconds);
    this.#onRested = onRested;
  }

  /** Milliseconds until the debt is paid; 0 without one. */
  get debtMs(): number {
    return Math.max(0, this.#restsUntil - this.#clock.monotonic());
  }

  /** Counts what came. False: it was far too much, and the connection has to end. */
  take(messages: number, bytes: number): boolean {
    const debtMs = Math.max(this.#messages.take(messages), this.#bytes.take(bytes));
    if (debtMs > DEBT_CLOSE_MS) return false;
    if (debtMs === 0) return true;
    const resting = this.debtMs > 0;
    this.#restsUntil = this.#clock.monotonic() + debtMs;
    if (!resting) this.#wait();
    return true;
  }

  #wait(): void {
    this.#clock.after(this.debtMs, () => {
      // More may have come meanwhile, from what was read before the reading stopped.
      if (this.debtMs > 0) this.#wait();
      else this.#onRested();
    });
  }
}

/** A bucket that fills steadily and is emptied by use. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  #level: number;
  #at: number;

  /** `perSecond` in the long run; up to `burstSeconds` of that at once. */
  constructor(clock: Clock, perSecond: number, burstSeconds: number) {
    this.#clock = clock;
    this.#perMs = perSecond / 1_000;
    this.#burst = perSecond * burstSeconds;
    this.#level = this.#burst;
    this.#at = clock.monotonic();
  }

  /** Takes so much, and gives the milliseconds to wait until the debt is paid: 0 without one. */
  take(amount: number): number {
    const now = this.#clock.monotonic();
    this.#level = Math.min(this.#burst, this.#level + (now - this.#at) * this.#perMs) - amount;
    this.#at = now;
    return this.#level >= 0 ? 0 : -this.#level / this.#perMs;
  }
}
