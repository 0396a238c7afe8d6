/**
 * Patience: how long anybody here waits for what has to come. Generous, since how fast a machine is
 * says nothing about what it runs; and over at once when an alarm has rung, which decides by itself.
 */
import type { Alarms } from "./alarms.ts";

export class Patience {
  readonly ms: number;
  readonly #alarms: Alarms;

  constructor(ms: number, alarms: Alarms) {
    this.ms = ms;
    this.#alarms = alarms;
  }

  /** Whether nobody waits any more, since an alarm has rung. */
  get isOver(): boolean {
    return this.#alarms.rang;
  }

  /** Waits until it holds; `watch` is given what to call whenever it may have come to hold. */
  until(holds: () => boolean, watch: (look: () => void) => void): Promise<void> {
    if (holds() || this.#alarms.rang) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        watch(() => undefined);
        resolve();
      };
      const timer = setTimeout(end, this.ms);
      watch(() => {
        if (holds()) end();
      });
      this.#alarms.onRing(end);
    });
  }
}
