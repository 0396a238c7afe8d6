/** The broker's clock, as this node knows it from answers. It reads no clock itself. */

/**
 * Converts instants of the node's monotonic clock to the broker's. Answers take time, so an instant
 * comes out as what it was or earlier: a delay makes things only older.
 */
export class BrokerTime {
  readonly #dedupeMs: number;
  /** The broker's time less the node's at the last answer. */
  #difference = 0;
  /** The least difference in this period of `dedupeMs`, and in the one before. */
  #least = Infinity;
  #formerLeast = Infinity;
  #periodBegan = -Infinity;

  constructor(dedupeMs: number) {
    this.#dedupeMs = dedupeMs;
  }

  /** An answer of the broker had its time. Both are in milliseconds. */
  heard(brokerTime: number, monotonic: number): void {
    this.#difference = brokerTime - monotonic;
    if (monotonic - this.#periodBegan >= this.#dedupeMs) {
      this.#formerLeast = this.#least;
      this.#least = Infinity;
      this.#periodBegan = monotonic;
    }
    this.#least = Math.min(this.#least, this.#difference);
  }

  /** A deadline on the broker's clock. */
  deadline(monotonic: number): number {
    return Math.floor(monotonic + this.#difference);
  }

  /**
   * An instant of the past on the broker's clock. Where that was set forward since, the broker has
   * forgotten producers as much earlier, so the instant is as much further back.
   */
  past(monotonic: number): number {
    return Math.floor(monotonic + Math.min(this.#least, this.#formerLeast));
  }
}
