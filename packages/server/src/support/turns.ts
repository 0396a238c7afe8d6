/**
 * A node's turns: what a few messages ask for at once is done in portions, between which input and
 * output have their say. So nobody makes the others wait by asking for much in one breath.
 *
 * An ordinary client's requests are carried out at once, within the first portion. This file doesn't
 * know what is done.
 */
import type { Clock } from "@tailwire/protocol";

/** How long a turn works off what waits, in milliseconds, before it lets others go first. */
const TURN_MS = 2;

/** Waiting calls carried out in a row: each of them may begin more in promises, which take time too. */
const WAITING_PER_ROUND = 128;

/** How often a turn goes on with what waits, while there is time. */
const ROUNDS_PER_TURN = 8;

/** Calls of one kind that one connection may begin in a turn: no honest client says more in one breath. */
const PORTION = 32;

export class Turns {
  readonly #clock: Clock;
  /** Calls that each has begun in this turn. Nothing is kept of idle ones. */
  readonly #begun = new Map<object, number>();
  #beganAt = 0;
  #scheduled = false;
  /** Calls that wait for a later turn, oldest first. */
  #waiting: (() => void)[] = [];
  /** Ends when all that was to be done to many has been done. */
  #rounds: Promise<void> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Begins something in somebody's name, which takes so many times what an ordinary thing takes. False:
   * their portion of this turn is used up.
   */
  begin(who: object, cost = 1): boolean {
    this.#schedule();
    const begun = this.#begun.get(who) ?? 0;
    // Whatever comes first in a turn fits, or what is larger than a portion would never be done.
    if (begun > 0 && begun + cost > PORTION) return false;
    this.#begun.set(who, begun + cost);
    return true;
  }

  /** Whether this turn has lasted long enough, whoever has worked in it. */
  get isLong(): boolean {
    this.#schedule();
    return this.#clock.monotonic() - this.#beganAt >= TURN_MS;
  }

  /** Calls back in a later turn, after what waits already. */
  later(callback: () => void): void {
    this.#waiting.push(callback);
    this.#schedule();
  }

  /** Resolves in a later turn. */
  next(): Promise<void> {
    return new Promise((resolve) => this.later(resolve));
  }

  /** Resolves in a turn in which somebody may begin one thing more. */
  async inLaterTurn(who: object): Promise<void> {
    do await this.next();
    while (!this.begin(who));
  }

  /** Calls a function of the application: at once, unless others have taken long in this turn. */
  async call<Value>(work: () => Value | Promise<Value>): Promise<Value> {
    while (this.isLong) await this.next();
    return work();
  }

  /**
   * Does something to each of many, in portions; to the first of them at once, unless an earlier
   * round isn't over. Rounds keep their order. A step must not throw.
   */
  each<Item>(items: readonly Item[], step: (item: Item) => void): Promise<void> {
    const before = this.#rounds;
    const done =
      before === null ? this.#round(items, step) : before.then(() => this.#round(items, step));
    const settled = done.then(() => {
      if (this.#rounds === settled) this.#rounds = null;
    });
    this.#rounds = settled;
    return settled;
  }

  async #round<Item>(items: readonly Item[], step: (item: Item) => void): Promise<void> {
    let left = PORTION;
    for (const item of items) {
      if (left === 0 || this.isLong) {
        await this.next();
        left = PORTION;
      }
      left -= 1;
      step(item);
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#beganAt = this.#clock.monotonic();
    this.#clock.soon(() => this.#turn());
  }

  #turn(): void {
    this.#begun.clear();
    this.#beganAt = this.#clock.monotonic();
    try {
      for (let round = 0; round < ROUNDS_PER_TURN && !this.isLong; round += 1) this.#goOn();
    } finally {
      this.#scheduled = false;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }

  /** Goes on once with what waits. */
  #goOn(): void {
    const due = Math.min(this.#waiting.length, WAITING_PER_ROUND);
    let done = 0;
    try {
      while (done < due && !this.isLong) {
        done += 1;
        (this.#waiting[done - 1] as () => void)();
      }
    } finally {
      this.#waiting.splice(0, done);
    }
  }
}
