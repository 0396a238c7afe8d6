/** An application's listeners for one kind of news. A listener that throws harms nobody else. */
import type { Stop } from "../types.ts";

export class Listeners<Value> {
  readonly #all = new Set<(value: Value) => unknown>();

  get size(): number {
    return this.#all.size;
  }

  /**
   * Adds a listener: from the next news on, where one is being told. A listener that is added twice is
   * called twice.
   *
   * @throws TypeError when it is no function.
   */
  add(listener: (value: Value) => unknown): Stop {
    if (typeof listener !== "function") throw new TypeError("not a function");
    const own = (value: Value): unknown => listener(value);
    this.#all.add(own);
    return () => void this.#all.delete(own);
  }

  /** Calls each, and gives the promises that some of them returned. */
  tell(value: Value): readonly Promise<unknown>[] {
    const work: Promise<unknown>[] = [];
    // A copy: listeners stop themselves and others, and register anew, while they are called.
    for (const listener of new Set(this.#all)) {
      if (!this.#all.has(listener)) continue;
      try {
        const result = listener(value);
        // A promise of our own: waiting for it can't throw, whatever the application's `then` does.
        if (result !== undefined) work.push(new Promise((resolve) => resolve(result)));
      } catch (error) {
        surface(error);
      }
    }
    return work;
  }
}

/** Shows an application's own error where the platform shows uncaught ones, and goes on. */
export function surface(error: unknown): void {
  // As it is: making words of it could throw, as with an object that has no `toString`.
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is the application's
  void Promise.reject(error);
}
