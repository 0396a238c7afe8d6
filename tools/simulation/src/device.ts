/**
 * The device that a simulated client runs on: it sleeps, and tells of its page's and its network's
 * life. While it sleeps no timer fires; those that came due meanwhile fire late, when it wakes.
 */
import type { Ports } from "@tailwire/client/core";
import type { Cancel, Clock } from "@tailwire/protocol";

type LifeEvent = Parameters<Parameters<Ports["life"]>[1]>[0];

export class Device {
  /** The clock as the client sees it. */
  readonly clock: Clock;
  /** Who listens. */
  readonly listeners = new Set<(event: LifeEvent) => void>();
  /** Whether there is a network when somebody begins to listen. */
  hasNetwork = true;
  #asleep = false;
  #overdue: (() => void)[] = [];

  constructor(clock: Clock) {
    this.clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      soon: (callback) => clock.soon(callback),
      after: (ms, callback) => this.#after(clock, ms, callback),
    };
  }

  readonly life: Ports["life"] = (_url, listener) => {
    this.listeners.add(listener);
    if (!this.hasNetwork) listener("offline");
    return () => void this.listeners.delete(listener);
  };

  tell(event: LifeEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  sleep(): void {
    this.#asleep = true;
  }

  /** Goes on, and tells nobody: not every platform does. */
  wake(): void {
    this.#asleep = false;
    for (const callback of this.#overdue.splice(0)) callback();
  }

  #after(clock: Clock, ms: number, callback: () => void): Cancel {
    let wanted = true;
    const due = (): void => {
      if (this.#asleep) this.#overdue.push(due);
      else if (wanted) callback();
    };
    const cancel = clock.after(ms, due);
    return () => {
      wanted = false;
      cancel();
    };
  }
}
