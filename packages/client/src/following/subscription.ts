/**
 * A subscription: one subscriber's place in a channel, and the publications on their way to it.
 *
 * Several may share one cursor on the wire, so each checks the chain of offsets for itself. It is
 * handed items in order; the application takes them by iterating, or by listeners, and the
 * position moves on only after that. It doesn't know how items travel.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import {
  chain,
  isPosition,
  type Position,
  type Start,
  type TailwireError,
} from "@tailwire/protocol";
import { onAbort } from "../support/abort.ts";
import { checkName } from "../support/arguments.ts";
import * as CLIENT_LIMITS from "../limits.ts";
import type { Item, WireItem } from "./items.ts";
import { Listeners, surface } from "../support/listeners.ts";
import type { Gap, Publication, Snapshot, Stop, SubscribeOptions } from "../types.ts";

/** What a subscription tells whoever feeds it. */
export interface Feed {
  /** It takes items again, or it has left: where the wire begins may have to change. */
  reconsider(): void;
  leave(subscription: Subscription): void;
}

type Listener = (publication: Publication) => void | Promise<void>;

export class Subscription implements AsyncIterable<Publication>, AsyncDisposable {
  /** Resolves when the server has acknowledged it; rejects when it refused. */
  readonly ready: Promise<void>;
  readonly #feed: Feed;
  readonly #start: Start;
  readonly #echo: boolean;
  readonly #listeners = new Map<string, Listeners<Publication>>();
  readonly #onGap = new Listeners<Gap>();
  readonly #onSnapshot = new Listeners<Snapshot>();
  readonly #onCaughtUp = new Listeners<void>();
  readonly #onEnd = new Listeners<TailwireError | null>();
  #resolveReady!: () => void;
  #rejectReady!: (error: TailwireError) => void;
  #state: "pending" | "active" | "closed" = "pending";
  #error: TailwireError | null = null;
  /** Up to where items were taken from the wire; null until the server has placed the start. */
  #received: Position | null;
  #position: Position | null;
  #caughtUp = false;
  /** Whether `caughtup` was told or is waiting to be, since the last subscribe or gap. */
  #caughtUpTaken = false;
  #queue: Item[] = [];
  #parked = false;
  /** Whether listeners are at work on the first item of the queue. */
  #busy = false;
  /** Set by the first iterator; from then on items wait to be asked for. */
  #iterated = false;
  /** The position of the publication an iterator is at work on. */
  #handed: Position | null = null;
  #asking: ((
    result:
      | IteratorResult<Publication, undefined>
      | Promise<IteratorResult<Publication, undefined>>,
  ) => void)[] = [];
  readonly #stopSignal: () => void;

  constructor(feed: Feed, { start = "latest", echo = true, signal }: SubscribeOptions) {
    this.#feed = feed;
    this.#start = start;
    this.#echo = echo;
    this.#received = isPosition(start) ? start : null;
    this.#position = this.#received;
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // Nobody has to await it.
    this.ready.catch(() => undefined);
    this.#stopSignal = onAbort(signal, () => this.end(null));
  }

  // For the application

  /** `"pending"` until the server has acknowledged it, and again while reconnecting. */
  get state(): "pending" | "active" | "closed" {
    return this.#state;
  }

  /** The last publication handed over: keep it to go on from here another day. */
  get position(): Position | null {
    return this.#position;
  }

  /** Whether the end of the log was reached since the last subscribe or gap. */
  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  /** Publications that have arrived and wait to be handled. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Calls back for each publication of an event. The position moves on once the listener has
   * returned, or its promise has settled.
   *
   * @throws `bad_message` when no event can have this name; TypeError when the listener is none.
   */
  on(event: string, listener: Listener): Stop {
    checkName(event);
    const listeners = this.#listeners.get(event) ?? new Listeners();
    this.#listeners.set(event, listeners);
    const stop = listeners.add(listener);
    this.#handle();
    return stop;
  }

  /** Calls back when publications were lost, before the first one after the gap. */
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

  /** Calls back once per subscribe and per gap, when the end of the log is reached. */
  onCaughtUp(listener: () => void): Stop {
    return this.#onCaughtUp.add(listener);
  }

  /** Calls back once, when it is over: null when it was closed here, else why. */
  onEnd(listener: (error: TailwireError | null) => void): Stop {
    return this.#onEnd.add(listener);
  }

  /** Ends the subscription. Publications on their way are discarded. */
  async close(): Promise<void> {
    this.end(null);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Hands publications over one by one. Leaving the loop ends the subscription. */
  [Symbol.asyncIterator](): AsyncIterator<Publication, undefined> {
    this.#iterated = true;
    return {
      next: () => this.#next(),
      return: async () => {
        this.#commitHanded();
        this.end(null);
        return { done: true, value: undefined };
      },
    };
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
    return this.#parked;
  }

  /** The server has acknowledged it; where its start was relative, it lies at `position`. */
  acknowledge(position: Position): void {
    this.#received ??= position;
    this.#position ??= position;
    this.#state = "active";
    this.#resolveReady();
  }

  /** The connection is lost: what was received stays, the rest has to be asked for again. */
  suspend(): void {
    if (this.#state === "active") this.#state = "pending";
    this.#caughtUp = false;
    this.#caughtUpTaken = false;
  }

  /**
   * Takes an item, if it is this subscription's turn for it. False: something lies between, and it
   * has to be served from `received`.
   */
  take(item: WireItem): boolean {
    if (!this.#received || this.#parked || this.#state === "closed") return true;
    switch (item.kind) {
      case "publication":
        return this.#takePublication(item, this.#received);
      case "gap":
        return this.#takeGap(item.gap, this.#received);
      case "epoch":
        // What was seen beyond the cursor the new epoch may not have: it has to be asked for.
        if (this.#received.epoch === item.from && this.#received.offset <= item.position.offset) {
          this.#received = { ...this.#received, epoch: item.position.epoch };
        }
        return true;
      case "snapshot":
        // Whoever stands elsewhere has a state that goes on without it.
        if (samePlace(this.#received, item.snapshot.position)) this.#enqueue(item);
        return true;
      case "caughtup":
        return this.#takeCaughtUp(item, this.#received);
      default:
        return item satisfies never;
    }
  }

  /** Ends it: with an error when the server refused it or nothing more can come. */
  end(error: TailwireError | null): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#error = error;
    this.#stopSignal();
    // What has arrived is still handed over, unless the application wants no more.
    if (error) {
      this.#rejectReady(error);
    } else {
      this.#queue = [];
      this.#resolveReady();
    }
    for (const ask of this.#asking.splice(0)) ask(this.#over());
    this.#feed.leave(this);
    this.#onEnd.tell(error);
  }

  // Receiving

  #takeCaughtUp(item: Extract<Item, { kind: "caughtup" }>, { epoch, offset }: Position): boolean {
    if (epoch !== item.position.epoch || offset < item.position.offset) return true;
    // It has seen more than there is.
    if (offset > item.position.offset) return false;
    if (!this.#caughtUpTaken) {
      this.#caughtUpTaken = true;
      this.#enqueue(item);
    }
    return true;
  }

  #takePublication(item: Extract<Item, { kind: "publication" }>, received: Position): boolean {
    const { position } = item.publication;
    // Another epoch is another subscriber's concern: this one is ahead, in a newer log.
    if (received.epoch !== position.epoch) return true;
    const link = chain(received.offset, { offset: position.offset, prev: item.prev });
    if (link === "next") {
      this.#received = position;
      this.#enqueue(item.own && !this.#echo ? { kind: "passed", position } : item);
    }
    return link !== "broken";
  }

  #takeGap(gap: Gap, received: Position): boolean {
    if (received.epoch !== gap.from.epoch) return true;
    if (received.offset < gap.from.offset) return false;
    const { continuesAfter } = gap;
    // What is trimmed behind this subscription doesn't concern it. What it has seen beyond the cursor a
    // new epoch may not have: that has to be asked for.
    const concerns =
      continuesAfter.epoch === received.epoch
        ? continuesAfter.offset > received.offset
        : gap.from.offset === received.offset;
    if (gap.reason === "trimmed" && !concerns) return true;
    const seen = received.offset - gap.from.offset;
    this.#received = continuesAfter;
    this.#caughtUp = false;
    this.#caughtUpTaken = false;
    this.#enqueue({
      kind: "gap",
      gap: {
        ...gap,
        from: received,
        lost: gap.lost === null ? null : Math.max(0, gap.lost - seen),
      },
    });
    return true;
  }

  #enqueue(item: Item): void {
    this.#queue.push(item);
    this.#handle();
    if (this.#queue.length >= CLIENT_LIMITS.waitingMax && !this.#parked) {
      this.#parked = true;
      this.#feed.reconsider();
    }
  }

  // Handing over

  /**
   * Hands on what can be handed on now: to listeners, or to an iterator that asks. Busy from the
   * moment that an item leaves the queue: a listener may do anything, such as listen to more, and
   * nothing is handed on before the item is done with.
   */
  #handle(): void {
    while (!this.#busy && this.#queue.length > 0) {
      // Who iterates is done with the last publication only when the loop comes round.
      if (this.#iterated && this.#asking.length === 0) return;
      const item = this.#queue[0] as Item;
      const isPublication = item.kind === "publication";
      if (isPublication && !this.#iterated && this.#listeners.size === 0) return;
      this.#busy = true;
      this.#queue.shift();
      if (this.#parked && this.#queue.length <= CLIENT_LIMITS.waitingMax / 2) {
        this.#parked = false;
        this.#feed.reconsider();
      }
      if (isPublication) {
        this.#handToListeners(item.publication);
      } else {
        this.#tell(item);
        this.#busy = false;
      }
    }
  }

  #tell(item: Exclude<Item, { kind: "publication" }>): void {
    if (item.kind === "gap") {
      this.#position = item.gap.continuesAfter;
      this.#onGap.tell(item.gap);
    } else if (item.kind === "snapshot") {
      this.#position = item.snapshot.position;
      this.#onSnapshot.tell(item.snapshot);
    } else if (item.kind === "caughtup") {
      this.#caughtUp = true;
      this.#onCaughtUp.tell();
    } else if (item.kind === "passed") {
      this.#position = item.position;
    }
  }

  #handToListeners(publication: Publication): void {
    const work = this.#listeners.get(publication.event)?.call(publication) ?? [];
    if (work.length === 0) return this.#listenersDone(publication);
    void Promise.allSettled(work).then((outcomes) => {
      this.#listenersDone(publication);
      this.#handle();
      for (const outcome of outcomes) if (outcome.status === "rejected") surface(outcome.reason);
    });
  }

  #listenersDone(publication: Publication): void {
    this.#busy = false;
    const { position } = publication;
    if (!this.#iterated) {
      this.#position = position;
      return;
    }
    const ask = this.#asking.shift();
    if (ask) this.#handed = position;
    ask?.({ done: false, value: publication });
  }

  #next(): Promise<IteratorResult<Publication, undefined>> {
    this.#commitHanded();
    if (this.#state === "closed" && this.#queue.length === 0) return this.#over();
    return new Promise((resolve) => {
      this.#asking.push(resolve);
      this.#handle();
    });
  }

  /** The end, as an iterator is told it: the error once, then done. */
  #over(): Promise<IteratorResult<Publication, undefined>> {
    const error = this.#error;
    this.#error = null;
    if (error) return Promise.reject(error);
    return Promise.resolve({ done: true, value: undefined });
  }

  #commitHanded(): void {
    this.#position = this.#handed ?? this.#position;
    this.#handed = null;
  }
}

/** Whether a start is a position, and the same place as another. */
export function samePlace(position: Position, start: Start): boolean {
  return isPosition(start) && start.epoch === position.epoch && start.offset === position.offset;
}
