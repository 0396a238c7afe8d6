/**
 * The machine that a simulated client or node runs on: it sleeps, its wall clock is wrong, it ends,
 * and it tells of its page's and its network's life. While it sleeps nothing happens on it; what
 * came due meanwhile happens late, when it wakes.
 */
import type { Ports } from "@tailwire/client/core";
import type { Cancel, Clock } from "@tailwire/protocol";

type LifeEvent = Parameters<Parameters<Ports["life"]>[1]>[0];

export class Device {
  /** Whose it is, for who keeps a record. */
  readonly name: string;
  /** The clock as its programs see it. */
  readonly clock: Clock;
  /** Who listens. */
  readonly listeners = new Set<(event: LifeEvent) => void>();
  /** Is told when its wall clock is set, and by how much. */
  onJump: (ms: number) => void = () => undefined;
  /** Whether there is a network when somebody begins to listen. */
  hasNetwork = true;
  #asleep = false;
  #ended = false;
  /** By how much its wall clock is wrong. */
  #skewMs = 0;
  #overdue: (() => void)[] = [];
  readonly #timers = new Set<Cancel>();

  constructor(clock: Clock, name = "") {
    this.name = name;
    this.clock = {
      now: () => clock.now() + this.#skewMs,
      monotonic: () => clock.monotonic(),
      soon: (callback) => clock.soon(() => this.run(callback)),
      after: (ms, callback) => this.#after(clock, ms, callback),
    };
  }

  /** Timers that are still to come. */
  get pending(): number {
    return this.#timers.size;
  }

  get isAsleep(): boolean {
    return this.#asleep;
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
    for (const callback of this.#overdue.splice(0)) this.run(callback);
  }

  /** By how much its wall clock is ahead. */
  get skewMs(): number {
    return this.#skewMs;
  }

  /** Sets its wall clock forward, or back. */
  jump(ms: number): void {
    this.#skewMs += ms;
    if (ms !== 0) this.onJump(ms);
  }

  /** Ends at once, without a word to anybody: nothing happens on it any more. */
  end(): void {
    this.#ended = true;
    this.#overdue = [];
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  /** Has something happen on it: now, when it wakes, or never. */
  run(callback: () => void): void {
    if (this.#ended) return;
    if (this.#asleep) this.#overdue.push(callback);
    else callback();
  }

  #after(clock: Clock, ms: number, callback: () => void): Cancel {
    if (this.#ended) return () => undefined;
    let wanted = true;
    const stop = clock.after(ms, () => {
      this.#timers.delete(stop);
      this.run(() => {
        if (wanted) callback();
      });
    });
    this.#timers.add(stop);
    return () => {
      wanted = false;
      this.#timers.delete(stop);
      stop();
    };
  }
}
