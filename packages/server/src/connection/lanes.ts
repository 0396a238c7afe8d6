/**
 * Lanes: per channel, a connection's requests are carried out in the order in which they came,
 * even where one of them has to wait. Requests to different channels don't wait for each other.
 */
import { SparseMap } from "../support/sparse.ts";

export class Lanes {
  readonly #lanes = new SparseMap<string, Promise<void>>();

  /**
   * Runs a step when those before it on its lane are done: at once where there are none. The lane
   * goes on when the step's promise settles. A step must not throw or reject.
   */
  run(lane: string, step: () => Promise<void> | void): void {
    const before = this.#lanes.get(lane);
    const after = before === undefined ? step() : before.then(step);
    if (after === undefined) return;
    const settled = after.then(() => {
      if (this.#lanes.get(lane) === settled) this.#lanes.delete(lane);
    });
    this.#lanes.set(lane, settled);
  }
}
