/**
 * Storms: whether more happens than there is reason for, while things go wrong too: timers that fire
 * again and again, and subscribes that bring nothing.
 */
import type { Stage } from "./stage.ts";

/** Timers for each thing that happens, for each second of each client and node, and beside. */
const TIMERS = { perEvent: 3, perSecond: 5, beside: 200 };

/** Subscribes and unsubscribes for each second of each client, and beside. */
const SUBSCRIBES = { perSecond: 5, beside: 250 };

const ASKING: ReadonlySet<string> = new Set(["subscribe", "unsubscribe"]);

export class Storms {
  readonly #stage: Stage;
  #fired = 0;
  #at = 0;
  #turn = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Looks at what has happened since the last look. */
  look(players: number): void {
    const { world, witness } = this.#stage;
    const { history } = witness;
    const events = history.length - this.#turn;
    const seconds = (world.clock.monotonic() - this.#at) / 1_000;
    const all = players + world.hosts.length;
    const { perEvent, perSecond, beside } = TIMERS;
    const timersMax = perEvent * events + perSecond * seconds * all + beside;
    this.#note("timers", world.clock.fired - this.#fired, timersMax);
    let subscribes = 0;
    for (let turn = this.#turn; turn < history.length; turn += 1) {
      const event = history[turn];
      if (event?.type === "request" && ASKING.has(event.what)) subscribes += 1;
    }
    this.#note(
      "subscribes",
      subscribes,
      SUBSCRIBES.perSecond * seconds * players + SUBSCRIBES.beside,
    );
    this.#fired = world.clock.fired;
    this.#at = world.clock.monotonic();
    this.#turn = history.length;
  }

  #note(what: string, count: number, bound: number): void {
    if (count > bound) this.#stage.witness.note({ type: "stormed", what, count, bound });
  }
}
