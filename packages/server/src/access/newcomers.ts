/**
 * Newcomers: those who have asked for a connection and haven't said hello, counted by address.
 *
 * Nobody knows yet who they are, so what one address can hold that way is bounded.
 */
export class Newcomers {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  /** `max` per address. */
  constructor(max: number) {
    this.#max = max;
  }

  /** One more. Null: there are too many from there; else call it once, when it is known or gone. */
  enter(address: string): (() => void) | null {
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#max) return null;
    this.#counts.set(address, count + 1);
    let here = true;
    return () => {
      if (here) this.#leave(address);
      here = false;
    };
  }

  #leave(address: string): void {
    const count = (this.#counts.get(address) ?? 0) - 1;
    if (count > 0) this.#counts.set(address, count);
    else this.#counts.delete(address);
  }
}
