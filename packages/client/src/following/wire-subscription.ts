/**
 * A channel's one subscription on the wire, shared by all local subscriptions to it.
 *
 * It is a cursor from where the subscription that is furthest behind has to go on; the others see
 * some publications again and drop them, each by its own chain. It hands nothing to applications, and
 * it doesn't know sockets. Two machines decide what it does:
 *
 * - The cursor's state, a table in `wire-states.ts`: idle, asking, owed a gap, following, given,
 *   resting. It has a position in three of them: owed a gap, following, given.
 * - Settling: from an acknowledgement, a gap, a new epoch or a broken chain to the end of the moment. A
 *   snapshot may stand right behind, in the same WebSocket message; a cursor that began anew before
 *   it came would drop it, or take it for its own [STATE-2, STATE-3].
 *
 * Both are coupled in `reconsider`, the one place that begins, moves or ends the cursor. It does so
 * while nothing settles, and not while an answer, a gap or the end of a wait is due: each of them
 * calls it again. Three counts keep that from becoming a storm: `#fruitless` makes each wait longer
 * than the one before, and `#moves` notices two subscriptions that no cursor covers both. A
 * publication that everybody takes resets them.
 *
 * Don't assume that the server sends nothing in the idle state: publications of a cursor that was given
 * up are still on their way, and are dropped, since only an acknowledgement begins a cursor [SUB-5].
 * Don't assume that an acknowledgement covers each subscription: it covers the ones that
 * asked for this start, and the rest are placed when all has settled. Don't assume that the state
 * survives the connection: it is idle afterwards, and the subscriptions know where to go on.
 */
import {
  type Ack,
  localError,
  type Position,
  type Start,
  TailwireError,
  type Unsubscribed,
} from "@tailwire/protocol";
import { refusalMs } from "../connection/backoff.ts";
import type { Connection } from "../connection/connection.ts";
import type { Outbox } from "../publishing/outbox.ts";
import { Machine } from "../support/machine.ts";
import type { ChannelMessage, Item } from "./items.ts";
import { publicationOf } from "./publication.ts";
import { type Feed, samePlace, type Subscription } from "./subscription.ts";
import { WIRE_STATES } from "./wire-states.ts";

/** Dependencies of a channel's subscription on the wire. */
export interface WireHost {
  readonly connection: Pick<Connection, "isOpen" | "say" | "scope" | "welcome">;
  readonly outbox: Pick<Outbox, "noteEpoch" | "seen">;
  /**
   * Sends an unsubscribe. When it is answered, the channel's subscription on the wire is told so by
   * {@link WireSubscription.released}.
   */
  unsubscribe(channel: string): void;
  /** Tells a developer what nobody listens to. */
  complain(why: TailwireError): void;
  /** Nobody follows the channel by this any more. */
  unused(channel: string, wire: WireSubscription): void;
}

/** Moves of the cursor that bring nothing, before the next has to wait. */
const MOVES_MAX = 16;

export class WireSubscription implements Feed {
  readonly #host: WireHost;
  readonly #channel: string;
  readonly #subscriptions = new Set<Subscription>();
  readonly #cursor = new Machine(WIRE_STATES, "idle");
  /** Where the cursor was asked to begin. */
  #start: Start = "latest";
  /** Where the cursor is; null in the states that have none. */
  #position: Position | null = null;
  #caughtUp = false;
  /** Whether the application keeps a state of the channel; null until a start would have shown it. */
  #hasState: boolean | null = null;
  #settling = false;
  /** Beginnings since a publication was taken that brought nothing: each makes the wait longer. */
  #fruitless = 0;
  /** Cursors given up for another place since a publication was taken. */
  #moves = 0;
  /** Whether a developer was told that nobody listens: once is enough. */
  #wasUnheard = false;
  /** The epoch heard of last: a subscription in it is never behind one in another. */
  #newestEpoch: string | null = null;

  constructor(host: WireHost, channel: string) {
    this.#host = host;
    this.#channel = channel;
  }

  join(subscription: Subscription): void {
    this.#subscriptions.add(subscription);
    this.reconsider();
  }

  leave(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription)) return;
    this.reconsider();
    this.#tellIfUnused();
  }

  unheard(words: string): void {
    if (this.#wasUnheard) return;
    this.#wasUnheard = true;
    this.#host.complain(localError("unheard", `${this.#channel}: ${words}`));
  }

  /** The connection is lost, and with it the wait, if there was one. */
  lost(): void {
    this.#drop("over");
    for (const subscription of this.#subscriptions) subscription.suspend();
    this.#tellIfUnused();
  }

  /** Ends every subscription: null when the application closes the client, else why. */
  end(error: TailwireError | null): void {
    // A copy: a listener that is told may subscribe again, and that one isn't meant.
    for (const subscription of new Set(this.#subscriptions)) subscription.end(error);
  }

  /**
   * The server has ended its cursor: for all who were on it, since it doesn't end one subscription. A
   * cursor that stands is over. Else it was given up here already, and its successor goes on
   * without the subscriptions that mustn't [SUB-9].
   */
  unsubscribed({ code, description, retry }: Unsubscribed): void {
    const refusal = new TailwireError({ code, description, retry, fault: "client" });
    if (this.#position) return this.#refused(refusal);
    if (retry) return;
    for (const subscription of new Set(this.#subscriptions)) {
      if (subscription.state === "active") subscription.end(refusal);
    }
  }

  /** Whether the server is asked for publications, or sends them. */
  get isAsking(): boolean {
    const { state } = this.#cursor;
    return state !== "idle" && state !== "resting";
  }

  /** The server has begun a subscription, which nobody here has asked for. */
  startedByServer(subscription: Subscription, position: Position): void {
    this.#subscriptions.add(subscription);
    this.#cursor.enter("subscribed");
    this.#position = position;
    this.#noteEpoch(position.epoch);
    subscription.acknowledge(position);
  }

  /** An unsubscribe was answered: a cursor that the server had begun before is over with it [SUB-10]. */
  released(): void {
    if (this.#cursor.state !== "given") return;
    this.#drop("released");
    this.reconsider();
  }

  /** Begins, begins anew or ends the cursor, if anything has changed or can go on. */
  reconsider(): void {
    if (!this.#host.connection.isOpen || this.#settling || this.#isDue) return;
    const position = this.#position;
    const hungry = [...this.#subscriptions].filter((subscription) => !subscription.parked);
    if (position) {
      for (const subscription of hungry) this.#place(subscription, position);
      if (hungry.length > 0 && hungry.every((one) => this.#covers(one, position))) return;
      this.#moves += 1;
      // Two subscriptions may lie where no cursor covers both: taking turns, they ask in a storm.
      if (this.#moves > MOVES_MAX) {
        this.#fruitless += 1;
        return this.#pause();
      }
      this.#drop("over");
      this.#host.unsubscribe(this.#channel);
    }
    const start = this.#startFor(hungry, position);
    if (start) this.#subscribe(start);
  }

  /** Takes in a message about this channel. */
  receive(message: ChannelMessage): void {
    // Without a position it is of a cursor that is gone [SUB-5].
    const before = this.#position;
    if (!before) return;
    // Before a listener is told, which might ask for more at once.
    if (message.type === "gap" || message.type === "epoch") this.#settle(false);
    const item = this.#advance(message, before);
    let served = true;
    // A copy: a listener may subscribe once more, to what comes after this.
    for (const subscription of new Set(this.#subscriptions))
      served = subscription.accept(item, before) && served;
    if (!served) this.#settle(true);
    else if (item.type === "publication") this.#fruitless = this.#moves = 0;
  }

  /** Whether an answer, a gap or the end of a wait is due, after which it is reconsidered. */
  get #isDue(): boolean {
    const { state } = this.#cursor;
    return state === "asking" || state === "owed a gap" || state === "resting";
  }

  /** The cursor is gone. */
  #drop(event: "over" | "rest" | "released"): void {
    this.#cursor.enter(event);
    this.#position = null;
  }

  /** Reconsiders at the end of the moment; rests instead where a beginning before brought nothing. */
  #settle(isBroken: boolean): void {
    if (this.#settling) return;
    this.#settling = true;
    if (isBroken) this.#fruitless += 1;
    this.#host.connection.scope.clock.soon(() => {
      this.#settling = false;
      if (this.#position && this.#start === "latest") this.#hasState ??= false;
      if (isBroken && this.#fruitless > 1) this.#pause();
      else this.reconsider();
      // The last one may have left while the subscribe was on its way.
      this.#tellIfUnused();
    });
  }

  /** Gives the cursor up for a while. */
  #pause(): void {
    if (!this.#position) return;
    this.#host.unsubscribe(this.#channel);
    this.#rest();
  }

  /** Begins again later: as long as this lasts, nobody who joins or leaves makes it sooner. */
  #rest(retryAfterMs?: number | null): void {
    this.#drop("rest");
    this.#host.connection.scope.after(refusalMs(this.#fruitless, retryAfterMs), () => {
      this.#cursor.enter("rested");
      this.reconsider();
    });
  }

  #subscribe(start: Start): void {
    this.#cursor.enter("subscribe");
    this.#start = start;
    this.#host.connection.say({ type: "subscribe", channel: this.#channel, start }, (answer) => {
      if (answer instanceof TailwireError) this.#refused(answer);
      else if (answer.position) this.#acknowledged(answer, answer.position);
    });
  }

  #acknowledged({ recovered }: Ack, position: Position): void {
    const isServed = recovered !== false;
    this.#cursor.enter(isServed ? "ack" : "gap first");
    this.#position = position;
    // A position that can't be served is old news: the gap that follows names the epoch of now.
    if (isServed) this.#noteEpoch(position.epoch);
    this.#caughtUp = false;
    // Nothing here calls the application: `ready` is told later, and an epoch isn't told at all.
    for (const subscription of this.#subscriptions) {
      const { received, start } = subscription;
      if (received ? samePlace(received, this.#start) : start === this.#start) {
        // The log may go on under another epoch, in which case the position was translated.
        if (received && isServed) subscription.accept({ type: "epoch", position }, received);
        subscription.acknowledge(position);
      }
    }
    this.#settle(false);
  }

  #refused(error: TailwireError): void {
    if (error.retry) {
      this.#fruitless += 1;
      this.#rest(error.retryAfterMs);
    } else {
      this.#drop("over");
      this.end(error);
    }
    this.#tellIfUnused();
  }

  /** A subscription that wants what comes from now on joins a cursor that is at the end. */
  #place(subscription: Subscription, position: Position): void {
    const { received, start } = subscription;
    // Where there is a state it is owed to newcomers, and only a new subscribe brings it [STATE-2].
    if (!received && start === "latest" && this.#caughtUp && this.#hasState === false) {
      subscription.acknowledge(position);
    }
    if (subscription.state === "pending" && this.#covers(subscription, position)) {
      subscription.acknowledge(position);
    }
    if (!this.#caughtUp || subscription.caughtUp) return;
    // When the subscriber has had the time to listen, and nothing is under way here.
    this.#host.connection.scope.clock.soon(() => {
      const end = this.#position;
      // The cursor may have moved on meanwhile, and stays at the end.
      if (end && this.#caughtUp) subscription.accept({ type: "caughtup", position: end }, end);
    });
  }

  /** Whether the cursor brings what a subscription needs next. */
  #covers({ received }: Subscription, end: Position): boolean {
    if (received?.epoch !== end.epoch) return received?.epoch === this.#newestEpoch;
    return received.offset >= end.offset && !this.#isAhead(received, end);
  }

  /** Whether a place lies behind the log's end, where the log may have been longer once. */
  #isAhead({ offset }: Position, end: Position | null): boolean {
    return this.#caughtUp && offset > (end?.offset ?? offset);
  }

  /** Where the cursor has to begin so that the one furthest behind is served. */
  #startFor(hungry: readonly Subscription[], end: Position | null): Start | null {
    let lowest: Position | null = null;
    for (const { received, start } of hungry) {
      if (!received) return start;
      if (this.#newestEpoch !== null && received.epoch !== this.#newestEpoch) return received;
      // Only the server can say what the log doesn't have, and only when it is asked from there.
      if (this.#isAhead(received, end)) return received;
      if (!lowest || received.offset < lowest.offset) lowest = received;
    }
    return lowest;
  }

  /** Moves the cursor by a message, which becomes an item for the subscriptions. */
  #advance(message: ChannelMessage, before: Position): Item {
    switch (message.type) {
      case "publication": {
        const { offset } = message;
        const { connection, outbox } = this.#host;
        const publication = publicationOf(message, before.epoch, connection.welcome?.client);
        const { position, localId } = publication;
        // The chain is each subscription's to check; the cursor only ever moves on.
        if (offset > before.offset) this.#position = position;
        if (localId !== null) outbox.seen(this.#channel, localId, position);
        return { type: "publication", publication };
      }
      case "snapshot":
        this.#hasState = true;
        break;
      case "gap":
        this.#caughtUp = false;
        this.#cross(message.continuesAfter);
        break;
      case "epoch":
        this.#cross(message.position);
        break;
      case "caughtup":
        this.#caughtUp = true;
        break;
      default:
        message satisfies never;
    }
    return message;
  }

  #cross(position: Position): void {
    this.#position = position;
    this.#cursor.enter("gap");
    this.#noteEpoch(position.epoch);
  }

  #noteEpoch(epoch: string): void {
    if (this.#newestEpoch === epoch) return;
    this.#newestEpoch = epoch;
    this.#host.outbox.noteEpoch(this.#channel, epoch);
  }

  /** While a subscribe is in progress somebody has to hear its answer, and take it back. */
  #tellIfUnused(): void {
    if (this.#subscriptions.size === 0 && !this.isAsking) this.#host.unused(this.#channel, this);
  }
}
