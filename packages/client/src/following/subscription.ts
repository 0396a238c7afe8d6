/**
 * A subscription: one subscriber's place in a channel.
 *
 * Several may share one cursor on the wire, so each checks the chain of offsets for itself. Three
 * machines say how far it is, each a table in `subscription-states.ts`:
 *
 * - Its life: pending, active, closed. The server's answers and the connection move it.
 * - Its progress: behind, due, caught up. `caughtup` off the wire makes it due, and the application
 *   is told after all that arrived before; until then it isn't caught up.
 * - Its taker, in `handover.ts`: who takes publications, and when the next may go.
 *
 * Two positions couple them. `received` is the last item taken off the wire, and where the server
 * has to go on; `position` is the last one that the application is done with. The queue lies between
 * the two. A lost connection moves neither: it suspends the life and resets the progress, and
 * `received` is where the next connection begins.
 *
 * A subscription whose queue is full is parked: it accepts nothing, so its chain breaks on purpose, and
 * the cursor is moved back to its `received` when it takes items again.
 *
 * Don't assume that an accepted item concerns this subscription: it may have seen it, or stand in
 * another epoch. Don't assume that `caughtup` comes once per connection, nor that the life is active when
 * items come: a cursor that was asked for by another subscription serves this one, too.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import {
  carriedValue,
  chain,
  isPosition,
  type Position,
  type Start,
  type TailwireError,
} from "@tailwire/protocol";
import { onAbort } from "../support/abort.ts";
import { Listeners } from "../support/listeners.ts";
import { Machine } from "../support/machine.ts";
import type { Gap, Publication, Snapshot, Stop, SubscribeOptions } from "../types.ts";
import { Handover } from "./handover.ts";
import type { Item } from "./items.ts";
import { LIFE_STATES, PROGRESS_STATES } from "./subscription-states.ts";

/** Dependencies of a subscription: the cursor that feeds it. */
export interface Feed {
  /** It takes items again, or it has left: where the wire begins may have to change. */
  reconsider(): void;
  leave(subscription: Subscription): void;
  /** It has something to tell, and nobody listens. */
  unheard(words: string): void;
}

type Listener = (publication: Publication) => void | Promise<void>;

type ItemOf<Type extends Item["type"]> = Extract<Item, { type: Type }>;

export class Subscription implements AsyncIterable<Publication>, AsyncDisposable {
  /**
   * Resolves when the server has acknowledged it, or it is closed here; rejects with the TailwireError
   * that ended it before, such as `forbidden` [AUTH-7].
   */
  get ready(): Promise<void> {
    this.#isAwaited = true;
    return this.#ready;
  }

  readonly #ready: Promise<void>;
  /** Whether its application has asked for {@link ready}, which tells it of a refusal. */
  #isAwaited = false;
  readonly #feed: Feed;
  readonly #start: Start;
  readonly #echo: boolean;
  readonly #onGap = new Listeners<Gap>();
  readonly #onSnapshot = new Listeners<Snapshot>();
  readonly #onCaughtUp = new Listeners<void>();
  readonly #onEnd = new Listeners<TailwireError | null>();
  #resolveReady!: () => void;
  #rejectReady!: (error: TailwireError) => void;
  readonly #life = new Machine(LIFE_STATES, "pending");
  readonly #progress = new Machine(PROGRESS_STATES, "behind");
  /** Up to where items were taken from the wire; null until the server has placed the start. */
  #received: Position | null;
  readonly #handover: Handover;
  readonly #stopSignal: () => void;

  constructor(feed: Feed, { start = "latest", echo = true, signal }: SubscribeOptions) {
    this.#feed = feed;
    this.#start = start;
    this.#echo = echo;
    this.#received = isPosition(start) ? start : null;
    this.#handover = new Handover(this.#received, () => feed.reconsider());
    this.#ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // Nobody has to await it.
    this.#ready.catch(() => undefined);
    this.#stopSignal = onAbort(signal, () => this.end(null));
  }

  // For the application

  /** `"pending"` until the server has acknowledged it, and again while reconnecting. */
  get state(): "pending" | "active" | "closed" {
    return this.#life.state;
  }

  /**
   * The last publication that was handled, or where it began: keep it to go on from here another day. Null
   * until the server has placed the start.
   */
  get position(): Position | null {
    return this.#handover.position;
  }

  /** Whether the end of the log was reached since the last subscribe or gap [DEL-8]. */
  get caughtUp(): boolean {
    return this.#progress.state === "caught up";
  }

  /** Publications and notices that have arrived and wait to be handled: 4,096 at most, then it is parked. */
  get waiting(): number {
    return this.#handover.waiting;
  }

  /**
   * Calls back for each publication of an event. The position moves on once the listener has
   * returned, or its promise has settled.
   *
   * @throws `bad_message` when no event can have this name; TypeError when the listener is none.
   */
  on(event: string, listener: Listener): Stop {
    return this.#handover.on(event, listener);
  }

  /**
   * Calls back when publications were lost, before the first one after the gap [DEL-4].
   *
   * @throws TypeError when the listener is none; so do the others.
   */
  onGap(listener: (gap: Gap) => void): Stop {
    return this.#onGap.add(listener);
  }

  /**
   * Calls back with the channel's state, where the application on the server keeps one: when the
   * subscription begins with `"latest"`, and after a gap. It takes the place of what was known.
   */
  onSnapshot(listener: (snapshot: Snapshot) => void): Stop {
    return this.#onSnapshot.add(listener);
  }

  /** Calls back once per subscribe and per gap, when the end of the log is reached [DEL-8]. */
  onCaughtUp(listener: () => void): Stop {
    return this.#onCaughtUp.add(listener);
  }

  /** Calls back once, when it is over: null when it was closed here, else why. */
  onEnd(listener: (error: TailwireError | null) => void): Stop {
    return this.#onEnd.add(listener);
  }

  /** Ends the subscription at once. Publications on their way are discarded, `onEnd` gets null. */
  async close(): Promise<void> {
    this.end(null);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Hands publications over one by one: the position moves on when the loop comes round. Leaving the loop
   * ends the subscription; an error that ends it is thrown in the loop, once all that arrived is handled.
   */
  [Symbol.asyncIterator](): AsyncIterator<Publication, undefined> {
    return this.#handover.iterate(() => this.end(null));
  }

  // For the feed

  /** Where it has to be served from: null while only the server can say. */
  get received(): Position | null {
    return this.#received;
  }

  get start(): Start {
    return this.#start;
  }

  /** Whether it takes no items now, because too many wait. */
  get parked(): boolean {
    return this.#handover.parked;
  }

  /** The server has acknowledged it; where its start was relative, it lies at `position`. */
  acknowledge(position: Position): void {
    this.#received ??= position;
    this.#handover.position ??= position;
    this.#life.enter("acknowledged");
    this.#resolveReady();
  }

  /** The connection is lost: what was received stays, the rest has to be asked for again. */
  suspend(): void {
    this.#life.enter("suspended");
    this.#progress.enter("reset");
  }

  /**
   * Accepts an item, if it is this subscription's turn for it. False: something lies between, and it
   * has to be served from `received`.
   *
   * @param at - where the cursor was before it.
   */
  accept(item: Item, at: Position): boolean {
    const received = this.#received;
    if (!received || this.parked || this.#life.state === "closed") return true;
    switch (item.type) {
      case "publication":
        return this.#acceptPublication(item, received);
      case "gap":
        return this.#acceptGap(item, received);
      case "epoch":
        // The new epoch may not have what was seen beyond the cursor: that has to be asked for.
        if (received.epoch === at.epoch && received.offset <= item.position.offset) {
          this.#received = { ...received, epoch: item.position.epoch };
        }
        return true;
      case "snapshot":
        // A subscription that stands elsewhere has a state that goes on without it.
        if (samePlace(received, item.position)) {
          const { position } = item;
          const snapshot = { data: carriedValue(item), position };
          this.#notify(position, () => void this.#onSnapshot.tell(snapshot));
        }
        return true;
      case "caughtup":
        return this.#acceptCaughtUp(item, received);
      default:
        return item satisfies never;
    }
  }

  /** Ends it: with an error when the server refused it or nothing more can come. */
  end(error: TailwireError | null): void {
    if (this.#life.state === "closed") return;
    const isTold = this.#onEnd.size > 0 || (this.#isAwaited && this.#life.state === "pending");
    this.#life.enter("ended");
    this.#stopSignal();
    if (error) this.#rejectReady(error);
    else this.#resolveReady();
    this.#handover.end(error);
    this.#feed.leave(this);
    void this.#onEnd.tell(error);
    if (error && !isTold && this.#handover.hasOnlyListeners) this.#feed.unheard(error.message);
  }

  #acceptPublication(item: ItemOf<"publication">, received: Position): boolean {
    const { publication } = item;
    const { position } = publication;
    // Another epoch is another subscriber's concern: this one is ahead, in a newer log.
    if (received.epoch !== position.epoch) return true;
    const link = chain(received.offset, position.offset);
    if (link === "next") {
      this.#received = position;
      const isMuted = publication.localId !== null && !this.#echo;
      this.#handover.push({ position, publication: isMuted ? null : publication });
    }
    return link !== "broken";
  }

  #acceptGap(item: ItemOf<"gap">, received: Position): boolean {
    const { reason, from, to, continuesAfter, lost } = item;
    if (received.epoch !== from.epoch) return true;
    if (received.offset < from.offset) return false;
    // A trim behind this subscription doesn't concern it. The new epoch may not have what it has seen
    // beyond the cursor: that has to be asked for.
    const concerns =
      continuesAfter.epoch === received.epoch
        ? continuesAfter.offset > received.offset
        : from.offset === received.offset;
    if (reason === "trimmed" && !concerns) return true;
    const seen = received.offset - from.offset;
    this.#received = continuesAfter;
    this.#progress.enter("reset");
    const gap = {
      reason,
      from: received,
      to,
      continuesAfter,
      lost: lost === null ? null : Math.max(0, lost - seen),
    };
    this.#notify(continuesAfter, () => {
      void this.#onGap.tell(gap);
      if (this.#onGap.size === 0) this.#feed.unheard(`gap ${reason}`);
    });
    return true;
  }

  #acceptCaughtUp({ position }: ItemOf<"caughtup">, { epoch, offset }: Position): boolean {
    if (epoch !== position.epoch || offset < position.offset) return true;
    // It has seen more than there is.
    if (offset > position.offset) return false;
    if (this.#progress.state === "behind") {
      this.#progress.enter("reached");
      this.#notify(null, () => {
        this.#progress.enter("told");
        void this.#onCaughtUp.tell();
      });
    }
    return true;
  }

  /** Has a notice told in its turn, from which on the application stands at `position`. */
  #notify(position: Position | null, tell: () => void): void {
    this.#handover.push({ position, publication: null, tell });
  }
}

/** Whether a start is a position, and the same place as another. */
export function samePlace(position: Position, start: Start): boolean {
  return isPosition(start) && start.epoch === position.epoch && start.offset === position.offset;
}
