/**
 * The machine that a simulated client or node runs on: it sleeps, its wall clock is wrong, it ends,
 * and it tells of its page's and its network's life. While it sleeps nothing happens on it; what
 * came due meanwhile happens late, when it wakes.
 */
import type { Ports } from "@tailwire/client/core";
import type { Cancel, Clock } from "@tailwire/protocol";

type LifeEvent = Parameters<Parameters<Ports["life"]>[1]>[0];

export class Device {
  /** The owner's name, for the history. */
  readonly name: string;
  /** The clock as its programs see it. */
  readonly clock: Clock;
  /** Listeners for the life events of its programs. */
  readonly listeners = new Set<(event: LifeEvent) => void>();
  /** Called with the milliseconds by which its wall clock is set. */
  onJump: (ms: number) => void = () => undefined;
  /** Whether a new listener finds a network. */
  hasNetwork = true;
  #asleep = false;
  #ended = false;
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

  /** Milliseconds by which its wall clock is ahead. */
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

  /** Runs a callback on it: now, when it wakes, or never if it has ended. */
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
