/** The last so many numbers, and what lies in their middle or near their end. */
export class Recent {
  readonly #length: number;
  readonly #values: number[] = [];
  #next = 0;

  constructor(length: number) {
    this.#length = length;
  }

  add(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#length;
  }

  /** The value that such a share of them, 0 to 1, doesn't exceed; null when there are none. */
  percentile(share: number): number | null {
    const sorted = this.#values.toSorted((one, other) => one - other);
    return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
  }
}
