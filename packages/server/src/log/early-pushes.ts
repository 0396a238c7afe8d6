/**
 * Pushes that don't follow on yet, while what lies before them is being read. It knows no log.
 *
 * A log that keeps little has passed by what a read brings when that arrives: without the pushes behind
 * it, a node would read for ever.
 */
import { type Publication, publicationBytes } from "./broker.ts";

interface Push {
  readonly epoch: string;
  readonly publications: readonly Publication[];
}

export class EarlyPushes {
  readonly #bytesMax: number;
  #pushes: Push[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Keeps a push. False: there are too many already, and it has to be read. */
  add(epoch: string, publications: readonly Publication[]): boolean {
    if (this.#bytes >= this.#bytesMax) return false;
    this.#pushes.push({ epoch, publications });
    for (const publication of publications) this.#bytes += publicationBytes(publication);
    return true;
  }

  /** Gives all in the order in which they came, and keeps none. */
  takeAll(): readonly Push[] {
    this.#bytes = 0;
    return this.#pushes.splice(0);
  }
}
