/** A state that components watch: each state is an object of its own, and stays what it is. */

export class Observed<State> {
  readonly #listeners = new Set<() => void>();
  #state: State;

  constructor(state: State) {
    this.#state = state;
  }

  readonly get = (): State => this.#state;

  /** Calls back after every change; the function that it gives ends that. */
  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Changes a part. Where nothing is other than it was, nobody is called. */
  change(part: Partial<State>): void {
    const keys = Object.keys(part) as (keyof State)[];
    if (keys.every((key) => part[key] === this.#state[key])) return;
    this.#state = { ...this.#state, ...part };
    for (const listener of this.#listeners) listener();
  }
}
