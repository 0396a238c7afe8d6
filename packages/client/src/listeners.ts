/** An application's listeners for one kind of news. What one of them throws harms nobody else. */
import { wordsOf } from "@tailwire/protocol";
import type { Stop } from "./types.ts";

export class Listeners<Value> {
  readonly #all = new Set<(value: Value) => unknown>();

  get size(): number {
    return this.#all.size;
  }

  add(listener: (value: Value) => unknown): Stop {
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  }

  /** Calls each, and waits for none. */
  tell(value: Value): void {
    void this.call(value);
  }

  /** Calls each, and gives the promises that some of them returned. */
  call(value: Value): readonly Promise<unknown>[] {
    const work: Promise<unknown>[] = [];
    for (const listener of this.#all) {
      try {
        const result = listener(value);
        if (result !== undefined) work.push(Promise.resolve(result));
      } catch (error) {
        surface(error);
      }
    }
    return work;
  }
}

/** Shows an application's own error where the platform shows uncaught ones, and goes on. */
export function surface(error: unknown): void {
  void Promise.reject(error instanceof Error ? error : new Error(wordsOf(error)));
}
