/**
 * The handing over of a subscription's items to the application: a queue and two machines.
 *
 * The taker (`TAKER_STATES`) is who takes publications: nobody yet, listeners, or a loop. It only
 * moves on: listeners that stop leave it as it is, so that publications don't pile up behind them,
 * and the first loop takes over for good. A loop takes one publication for each time it asks.
 *
 * The item in hand is the other machine: there is one, or there is none. An item leaves the queue
 * only while none is in hand, and it stays in hand until each listener's promise has settled. A
 * listener may do anything meanwhile, such as listen to more, close, or begin a loop.
 *
 * The two are coupled in two places. `#handOver` takes an item in hand where the taker takes one
 * of its kind: nobody takes notices only, a loop at work takes nothing, not even notices. And
 * when the item is done, the taker as it is by then decides whose position moves: with listeners it
 * moves at once, with a loop when the loop comes round, which shows that the body is done.
 *
 * Parking couples it to the cursor. A queue of `waitingMax` items takes no more until half of them are
 * handled, and each time `changed` is called, since the cursor's place depends on who takes.
 *
 * Don't assume that a question is answered by one item each in turn: a loop may ask several times
 * at once, and then the position of the last one given is the one that moves on. Don't assume that the
 * end empties the queue: after an error what has arrived is still handed over.
 */
import { checkName } from "../support/arguments.ts";
import * as CLIENT_LIMITS from "../limits.ts";
import { Listeners, surface } from "../support/listeners.ts";
import { Machine } from "../support/machine.ts";
import type { Position, TailwireError } from "@tailwire/protocol";
import type { Publication, Stop } from "../types.ts";
import type { Waiting } from "./items.ts";
import { TAKER_STATES } from "./subscription-states.ts";

type Result = IteratorResult<Publication, undefined>;

export class Handover {
  /** The last item that the application is done with. */
  position: Position | null;
  /** Whether it takes no items now, because too many wait. */
  parked = false;
  readonly #changed: () => void;
  readonly #listeners = new Map<string, Listeners<Publication>>();
  readonly #taker = new Machine(TAKER_STATES, "nobody");
  #queue: Waiting[] = [];
  #inHand: Waiting | null = null;
  /** Where the publication lies that a loop is at work on. */
  #given: Position | null = null;
  /** The loop's questions that are open. */
  #questions: ((result: Result | Promise<Result>) => void)[] = [];
  #ended = false;
  /** Why it has ended, until the loop is told. */
  #error: TailwireError | null = null;

  /** `changed` is called when {@link parked} has changed. */
  constructor(position: Position | null, changed: () => void) {
    this.position = position;
    this.#changed = changed;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Whether listeners take publications, and no loop, which would be told of an end. */
  get hasOnlyListeners(): boolean {
    return this.#taker.state === "listeners";
  }

  /** See `Subscription.on`. */
  on(event: string, listener: (publication: Publication) => unknown): Stop {
    checkName(event);
    const listeners = this.#listeners.get(event) ?? new Listeners();
    this.#listeners.set(event, listeners);
    const stop = listeners.add(listener);
    this.#taker.enter("listen");
    this.#handOver();
    return stop;
  }

  /** A loop: `leave` is called when it is left. */
  iterate(leave: () => void): AsyncIterator<Publication, undefined> {
    this.#taker.enter("iterate");
    return {
      next: () => this.#next(),
      return: async () => {
        this.#comeRound();
        leave();
        return { done: true, value: undefined };
      },
    };
  }

  push(item: Waiting): void {
    this.#queue.push(item);
    this.#handOver();
    if (this.#queue.length >= CLIENT_LIMITS.waitingMax) this.#park(true);
  }

  /** Ends it: what has arrived is still handed over, unless the application wants no more. */
  end(error: TailwireError | null): void {
    this.#ended = true;
    this.#error = error;
    if (!error) this.#queue = [];
    this.#tellEnd();
  }

  #park(parked: boolean): void {
    if (this.parked === parked) return;
    this.parked = parked;
    this.#changed();
  }

  /** Hands over what the taker takes, one item after another. */
  #handOver(): void {
    for (;;) {
      const [item] = this.#queue;
      if (this.#inHand || this.#taker.state === "loop") return;
      if (!item) return this.#ended ? this.#tellEnd() : undefined;
      const { publication, position, tell } = item;
      if (publication && this.#taker.state === "nobody") return;
      this.#inHand = item;
      this.#queue.shift();
      if (this.#queue.length <= CLIENT_LIMITS.waitingMax / 2) this.#park(false);
      if (publication) {
        this.#tellListeners(publication);
      } else {
        this.position = position ?? this.position;
        tell?.();
        this.#inHand = null;
      }
    }
  }

  #tellListeners(publication: Publication): void {
    const work = this.#listeners.get(publication.event)?.tell(publication) ?? [];
    if (work.length === 0) return this.#done(publication);
    void Promise.allSettled(work).then((outcomes) => {
      this.#done(publication);
      this.#handOver();
      for (const outcome of outcomes) if (outcome.status === "rejected") surface(outcome.reason);
    });
  }

  /** The listeners are done. A loop that asked is given the publication, too. */
  #done(publication: Publication): void {
    this.#inHand = null;
    const { position } = publication;
    const answer = this.#questions.shift();
    if (this.#taker.state === "listeners") this.position = position;
    if (!answer) return;
    this.#given = position;
    answer({ done: false, value: publication });
    if (this.#questions.length === 0) this.#taker.enter("answered");
  }

  #next(): Promise<Result> {
    this.#comeRound();
    if (this.#ended && this.#queue.length === 0) return this.#over();
    return new Promise((resolve) => {
      this.#questions.push(resolve);
      this.#taker.enter("ask");
      this.#handOver();
    });
  }

  #tellEnd(): void {
    for (const answer of this.#questions.splice(0)) answer(this.#over());
    this.#taker.enter("answered");
  }

  /** The end, as a loop is told it: the error once, then done. */
  #over(): Promise<Result> {
    const error = this.#error;
    this.#error = null;
    if (error) return Promise.reject(error);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** A loop that asks, or is left, is done with the publication it was given. */
  #comeRound(): void {
    this.position = this.#given ?? this.position;
    this.#given = null;
  }
}
