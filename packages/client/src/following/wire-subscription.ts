/**
 * A channel's one subscription on the wire, shared by all local subscriptions to it.
 *
 * It is a cursor from where the subscription that is furthest behind has to go on; the others
 * see some publications again and drop them, each by its own chain. It begins anew whenever
 * somebody isn't covered by it. It doesn't know sockets, and it hands nothing to applications.
 */
import {
  type Ack,
  carriedValue,
  type ErrorMessage,
  type Position,
  type ServerMessage,
  type Start,
  TailwireError,
  type Unsubscribed,
} from "@tailwire/protocol";
import { refusalMs } from "../connection/backoff.ts";
import type { Connection } from "../connection/connection.ts";
import { publicationOf } from "./publication.ts";
import type { WireItem } from "./items.ts";
import { type Feed, samePlace, type Subscription } from "./subscription.ts";

/** What it needs of the client. */
export interface Wire {
  readonly connection: Pick<Connection, "isOpen" | "scope" | "welcome">;
  /** Sends a subscribe; `answered` is called unless the connection is lost first. */
  subscribe(start: Start, answered: (answer: Ack | ErrorMessage) => void): void;
  /**
   * Sends an unsubscribe. Whoever follows the channel when it is answered is told so, by
   * {@link WireSubscription.released}.
   */
  unsubscribe(): void;
  noteEpoch(epoch: string): void;
  /** A publication of this very client has come, by the id that it was given here. */
  seen(id: string, position: Position): void;
  /** Nobody follows the channel by this any more. */
  idle(wire: WireSubscription): void;
}

/** What comes from the server for one channel. */
export type ChannelMessage = Extract<
  ServerMessage,
  { type: "publication" | "snapshot" | "gap" | "epoch" | "caughtup" }
>;

/** Why there is no subscription. */
type Refusal = ConstructorParameters<typeof TailwireError>[0];

/** What the server sends, or is asked for. */
interface Cursor {
  readonly start: Start;
  /** Whether the server has begun it by itself. */
  readonly isBegun: boolean;
  /** Where it is; null before the acknowledgement. */
  position: Position | null;
}

/** Moves of the cursor that bring nothing, before the next has to wait. */
const MOVES_MAX = 16;

export class WireSubscription implements Feed {
  readonly #wire: Wire;
  readonly #subscriptions = new Set<Subscription>();
  /** The subscribe that is in progress or acknowledged; null when the server sends nothing. */
  #current: Cursor | null = null;
  #caughtUp = false;
  /** Whether the server has said that a gap follows. */
  #gapDue = false;
  /** Whether the application keeps a state of the channel; null until a start would have shown it. */
  #hasState: boolean | null = null;
  /** Whether what comes in the present WebSocket message has to be taken first. */
  #waits = false;
  /** Beginnings since a publication was taken: what brings nothing waits before the next. */
  #fruitless = 0;
  /** Cursors given up for another place since a publication was taken. */
  #moves = 0;
  /** Whether it waits after a refusal that may pass, or a beginning that brought nothing. */
  #isRefused = false;
  /** The epoch heard of last: a subscription in it is never behind one in another. */
  #newestEpoch: string | null = null;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  join(subscription: Subscription): void {
    this.#subscriptions.add(subscription);
    this.reconsider();
  }

  leave(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription)) return;
    this.reconsider();
    this.#idleIfUnused();
  }

  lost(): void {
    this.#current = null;
    // The wait has ended with the connection.
    this.#isRefused = false;
    for (const subscription of this.#subscriptions) subscription.suspend();
    this.#idleIfUnused();
  }

  /** Ends every subscription: null when the application closes the client, else why. */
  end(error: TailwireError | null): void {
    // A copy: who is told may subscribe again, and that one isn't meant.
    for (const subscription of Array.from(this.#subscriptions)) subscription.end(error);
  }

  /**
   * The server has ended its cursor: for all who were on it, since what it says isn't about one. One
   * that stands is over. Else it was given up here already, and what has been asked for since goes on
   * without those who mustn't [SUB-9].
   */
  unsubscribed({ code, description, retry }: Unsubscribed): void {
    const refusal = { code, description, retry, fault: "client" } as const;
    if (this.#current?.position) return this.#refused(refusal);
    if (retry) return;
    for (const subscription of Array.from(this.#subscriptions)) {
      if (subscription.state === "active") subscription.end(new TailwireError(refusal));
    }
  }

  /** Whether the server is asked for publications, or sends them. */
  get isAsking(): boolean {
    return this.#current !== null;
  }

  /** The server has begun a subscription, which nobody here has asked for. */
  begun(subscription: Subscription, position: Position): void {
    this.#subscriptions.add(subscription);
    this.#current = { start: "latest", isBegun: true, position };
    this.#gapDue = false;
    this.#noteEpoch(position.epoch);
    subscription.acknowledge(position);
  }

  /** An unsubscribe was answered: what the server had begun before is over with it [SUB-10]. */
  released(): void {
    if (!this.#current?.isBegun) return;
    this.#current = null;
    this.reconsider();
  }

  /** Begins, begins anew or ends the wire's subscription, if anything has changed or can go on. */
  reconsider(): void {
    if (!this.#wire.connection.isOpen || this.#waits || this.#isRefused) return;
    const current = this.#current;
    // What is in progress is judged when its answer is here.
    if (current && !current.position) return;
    const hungry = [...this.#subscriptions].filter((subscription) => !subscription.parked);
    if (current?.position) {
      // A gap is on its way: who else has to be served is clear after it.
      if (this.#gapDue) return;
      const { position } = current;
      for (const subscription of hungry) this.#place(subscription, position);
      if (hungry.length > 0 && hungry.every((one) => this.#covers(one, position))) return;
      this.#moves += 1;
      // Two subscriptions may lie where no cursor covers both: taking turns, they ask in a storm.
      if (this.#moves > MOVES_MAX) this.#fruitless += 1;
      this.#unsubscribe();
      if (this.#moves > MOVES_MAX) return this.#wait();
    }
    const start = this.#startFor(hungry, current?.position);
    if (start) this.#subscribe(start);
  }

  /** Takes what the server says of this channel. */
  receive(message: ChannelMessage): void {
    // Between an unsubscribe and the next acknowledgement, it is of a cursor that is gone [SUB-5].
    const current = this.#current;
    if (!current?.position) return;
    // Before anybody is told, who might ask for more at once.
    if (message.type === "gap" || message.type === "epoch") this.#reconsiderSoon(false);
    const item = this.#itemOf(message, current, current.position);
    let served = true;
    // A copy: a listener may subscribe once more, to what comes after this.
    for (const subscription of Array.from(this.#subscriptions))
      served = subscription.take(item) && served;
    if (!served) this.#reconsiderSoon(true);
    else if (item.kind === "publication") this.#fruitless = this.#moves = 0;
  }

  /**
   * Begins anew where somebody has to be served from elsewhere. Not at once, whoever asks meanwhile:
   * a snapshot may stand right behind, in the same WebSocket message, and would be taken for one of
   * a cursor that is gone [STATE-2, STATE-3].
   */
  #reconsiderSoon(isBroken: boolean): void {
    if (this.#waits) return;
    this.#waits = true;
    if (isBroken) this.#fruitless += 1;
    this.#wire.connection.scope.clock.soon(() => {
      this.#waits = false;
      if (this.#current?.start === "latest") this.#hasState ??= false;
      if (isBroken && this.#fruitless > 1) this.#pause();
      else this.reconsider();
    });
  }

  /** Something lay between, and the beginning before brought nothing either: no fault makes a storm. */
  #pause(): void {
    if (!this.#current) return;
    this.#unsubscribe();
    this.#wait();
  }

  /** Begins again later: as long as this lasts, nobody who joins or leaves makes it sooner. */
  #wait(retryAfterMs?: number): void {
    this.#isRefused = true;
    this.#wire.connection.scope.after(refusalMs(this.#fruitless, retryAfterMs), () => {
      this.#isRefused = false;
      this.reconsider();
    });
  }

  #unsubscribe(): void {
    this.#current = null;
    this.#wire.unsubscribe();
  }

  #subscribe(start: Start): void {
    const current: Cursor = { start, isBegun: false, position: null };
    this.#current = current;
    this.#wire.subscribe(start, (answer) => {
      // Given up meanwhile: the unsubscribe behind it ends what this has begun.
      if (this.#current !== current) return;
      if (answer.type === "error") this.#refused(answer);
      else if (answer.position) this.#acknowledged(current, answer, answer.position);
    });
  }

  #acknowledged(current: Cursor, answer: Ack, position: Position): void {
    current.position = position;
    this.#gapDue = answer.recovered === false;
    // A position that can't be served is old news: the gap that follows names the epoch of now.
    if (!this.#gapDue) this.#noteEpoch(position.epoch);
    this.#caughtUp = false;
    // Nothing here calls the application: `ready` is told later, and an epoch isn't told at all.
    for (const subscription of this.#subscriptions) {
      const { received, start } = subscription;
      if (received ? samePlace(received, current.start) : start === current.start) {
        // The log may go on under another epoch, in which case the position was translated.
        if (received) {
          subscription.take({ kind: "epoch", from: received.epoch, position });
        }
        subscription.acknowledge(position);
      }
    }
    this.#reconsiderSoon(false);
    this.#idleIfUnused();
  }

  #refused(answer: Refusal): void {
    this.#current = null;
    if (answer.retry) {
      this.#fruitless += 1;
      this.#wait(answer.retryAfterMs);
    } else {
      this.end(new TailwireError(answer));
    }
    this.#idleIfUnused();
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
    // When whoever subscribes has had the time to listen, and nothing is under way here.
    this.#wire.connection.scope.clock.soon(() => {
      if (this.#current?.position) subscription.take({ kind: "caughtup", position });
    });
  }

  /** Whether the wire's cursor brings what a subscription needs next. */
  #covers({ received }: Subscription, end: Position): boolean {
    if (received?.epoch !== end.epoch) return received?.epoch === this.#newestEpoch;
    return received.offset >= end.offset && !this.#isAhead(received, end);
  }

  /** Whether a place lies behind the log's end, where the log may have been longer once. */
  #isAhead({ offset }: Position, end: Position | null | undefined): boolean {
    return this.#caughtUp && offset > (end?.offset ?? offset);
  }

  /** Where the wire has to begin so that the one furthest behind is served. */
  #startFor(hungry: readonly Subscription[], end: Position | null | undefined): Start | null {
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

  #itemOf(message: ChannelMessage, current: Cursor, at: Position): WireItem {
    switch (message.type) {
      case "publication": {
        const { publisher, offset, prev } = message;
        const publication = publicationOf(message, at.epoch);
        const { position } = publication;
        // The chain is each subscription's to check; the cursor only ever moves on.
        if (offset > at.offset) current.position = position;
        const own = publisher !== null && publisher === this.#wire.connection.welcome?.client;
        if (own) this.#wire.seen(message.id.slice(publisher.length + 1), position);
        return { kind: "publication", prev, publication, own };
      }
      case "snapshot": {
        const { position } = message;
        this.#hasState = true;
        return { kind: "snapshot", snapshot: { data: carriedValue(message), position } };
      }
      case "gap": {
        const { reason, from, to, continuesAfter, lost } = message;
        current.position = continuesAfter;
        this.#gapDue = false;
        this.#noteEpoch(continuesAfter.epoch);
        this.#caughtUp = false;
        return { kind: "gap", gap: { reason, from, to, continuesAfter, lost } };
      }
      case "epoch":
        current.position = message.position;
        this.#gapDue = false;
        this.#noteEpoch(message.position.epoch);
        return { kind: "epoch", from: at.epoch, position: message.position };
      case "caughtup":
        this.#caughtUp = true;
        return { kind: "caughtup", position: message.position };
      default:
        return message satisfies never;
    }
  }

  #noteEpoch(epoch: string): void {
    if (this.#newestEpoch === epoch) return;
    this.#newestEpoch = epoch;
    this.#wire.noteEpoch(epoch);
  }

  /** While a subscribe is in progress somebody has to hear its answer, and take it back. */
  #idleIfUnused(): void {
    if (this.#subscriptions.size === 0 && !this.#current) this.#wire.idle(this);
  }
}
