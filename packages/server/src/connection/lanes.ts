/**
 * Lanes: per channel, a connection's requests are carried out in the order in which they came,
 * even where one of them has to wait. Requests to different channels don't wait for each other.
 *
 * Requests go on in portions, since all that waited for one slow answer may go on at once.
 */
import { SparseMap } from "../support/sparse.ts";
import type { Turns } from "../support/turns.ts";

/** Bytes that a request in progress holds beside its data: a guess from above. */
export const REQUEST_BYTES = 512;

/** The lane of what is answered at length. No channel has this name. */
const LARGE = " large";

/** The connection whose lanes they are. */
export interface LanesOwner {
  readonly node: { readonly turns: Turns };
  readonly input: { account(bytes: number): void; paid(): Promise<void> };
  readonly output: { emptied(): Promise<void> };
}

export class Lanes {
  readonly #owner: LanesOwner;
  readonly #lanes = new SparseMap<string, Promise<void>>();

  constructor(owner: LanesOwner) {
    this.#owner = owner;
  }

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

  /**
   * Runs a request in its channel's turn. Its bytes are counted from its arrival until it is released,
   * whether it waits or is carried out.
   */
  request(
    channel: string,
    bytes: number,
    step: (release: () => void) => Promise<void> | void,
  ): void {
    const { node, input } = this.#owner;
    input.account(bytes);
    const release = (): void => input.account(-bytes);
    this.run(channel, () => {
      if (node.turns.begin(this.#owner)) return step(release);
      return node.turns.inLaterTurn(this.#owner).then(() => step(release));
    });
  }

  /**
   * Runs what ends in a large answer, when all that was said before has left: so asking for many
   * holds no more than asking for one [FLOW-3]. A debt is paid first, because such an answer costs
   * as many messages do.
   */
  oneByOne(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.run(LARGE, async () => {
        await this.#owner.input.paid();
        await this.#owner.output.emptied();
        await work().then(resolve, reject);
      });
    });
  }
}
