/**
 * A connection: one protocol conversation on one socket, from its upgrade to its end.
 *
 * It keeps the conversation's state, its deadlines and its output, and hands requests to
 * `commands/`. It doesn't know what a request does, nor how bytes travel.
 */
import {
  type Authenticate,
  CLOSE_CODES,
  type ClientMessage,
  type CloseName,
  type Codec,
  type Decoded,
  type Malformed,
  type Outgoing,
  PROTOCOL_LIMITS,
  type ServerMessage,
  type TailwireError,
  tailwireError,
  utf8Truncate,
  type Wire,
  wireBytes,
} from "@tailwire/protocol";
import { accepts, type ConnectionState, listens, nextState } from "./states.ts";
import type { Cursor, CursorMessage, CursorOwner } from "../delivery/cursor.ts";
import type { Due } from "../support/deadlines.ts";
import { Holds } from "./holds.ts";
import { Intake, type IntakeOwner } from "./input.ts";
import { Lanes } from "./lanes.ts";
import type { Access, User } from "../access/access.ts";
import type { TailwireNode } from "../node.ts";
import { type ControlMessage, Output } from "./output.ts";
import type { AbortHandle, Transport } from "../ports.ts";
import type { Slice } from "../delivery/encoded-tail.ts";
import { SparseMap, SparseSet } from "../support/sparse.ts";
import type { Served } from "../delivery/sweep.ts";
import type { Traced } from "../telemetry/traces.ts";

/** The session that a connection speaks for, once `hello` has named it. */
export interface Identity {
  /** Public id of the client, and the producer of its publications. */
  readonly clientId: string;
  readonly generation: number;
}

export class Connection implements CursorOwner, Due, IntakeOwner, Served {
  readonly node: TailwireNode;
  readonly codec: Codec;
  readonly output: Output;
  /** The application's notes on this connection. */
  readonly context: Record<string, unknown> = {};
  /** Requests to the application in progress, by id. */
  readonly requests = new SparseMap<string, AbortHandle>();
  readonly holds: Holds;
  /** By channel. Null while the subscribe is in progress. */
  readonly subscriptions = new SparseMap<string, Cursor | null>();
  /** Subscriptions that the server began, and the client hasn't asked for. */
  readonly begun = new SparseSet<string>();
  readonly lanes = new Lanes();
  /** Fresh tokens that wait, oldest first. Null while none is being judged. */
  freshTokens: Authenticate[] | null = null;
  /** Called once, when it is known whose it is or it has gone without saying so. */
  onKnown: (() => void) | null = null;
  /** Set by `hello`. */
  identity: Identity | null = null;
  /** Permissions of its token. A fresh token brings another. */
  access: Access;
  dueAt = Infinity;
  filedAt: number | null = null;
  inLine = false;
  /** When the upgrade was granted, by the monotonic clock. */
  readonly #beganAt: number;
  readonly #transport: Transport;
  #state: ConnectionState = "awaiting hello";
  #messageCount = 0;
  #badMessages = 0;
  readonly #intake: Intake;
  #pingAt = Infinity;
  #missedPongs = 0;

  constructor(node: TailwireNode, transport: Transport, codec: Codec, access: Access) {
    const { clock } = node.ports;
    this.node = node;
    this.access = access;
    this.holds = new Holds(clock, node.limits.dedupeMs);
    this.#intake = new Intake(node, transport, this);
    this.#transport = transport;
    this.codec = codec;
    this.output = new Output(node.ports, node.limits, codec, transport);
    this.#beganAt = clock.monotonic();
    node.deadlines.set(this, this.#beganAt + node.limits.helloTimeoutMs);
  }

  get user(): User {
    return this.access.user;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Milliseconds since the upgrade was granted. */
  get ageMs(): number {
    return this.node.ports.clock.monotonic() - this.#beganAt;
  }

  /** Bytes that this connection makes the server hold beside its cursors. */
  get heldBytes(): number {
    return this.output.bytes + this.#intake.heldBytes;
  }

  // Calls by the driver

  /**
   * Bytes have come, whatever they are: control frames, fragments and the frames' own heads take
   * time as messages do. Each frame counts as a message [FLOW-5].
   */
  arrived(bytes: number, frames: number, controlFrames: number): void {
    this.#intake.arrived(bytes, frames, controlFrames);
  }

  /** A WebSocket message has come, whose frames are counted: {@link arrived}. */
  message(wire: Wire): void {
    this.#intake.message(wire);
  }

  /** A WebSocket message has come, in one frame that isn't counted yet. */
  receive(wire: Wire): void {
    this.arrived(wireBytes(wire), 1, 0);
    this.message(wire);
  }

  /** Something has come, which shows that the peer lives [LIVE-2]. */
  heard(): void {
    this.#missedPongs = 0;
  }

  /** The last write has left user space. */
  drained(): void {
    this.output.drained();
    this.#dueAgain();
    this.#enqueueIfNeeded();
  }

  /** Something in here threw, which is this connection's end and nobody else's. */
  failed(thrown: unknown): void {
    this.node.asTailwireError(thrown);
    this.close("internal");
  }

  /** The socket is gone, whoever closed it. */
  gone(): void {
    if (this.#state === "closed") return;
    this.#state = nextState(this.#state, "gone");
    this.node.deadlines.clear(this);
    for (const cursor of this.subscriptions.values()) cursor?.close();
    this.subscriptions.clear();
    this.output.end();
    this.onKnown?.();
    const cancelled = tailwireError("cancelled");
    void this.node.turns.each([...this.requests.values()], (one) => one.abort(cancelled));
    this.requests.clear();
    this.node.forget(this);
  }

  // Calls by commands and cursors

  /** A fresh token was accepted, or the one of `hello`. */
  renew(access: Access): void {
    this.access = access;
    this.#dueAgain();
  }

  /** Counts what a request costs as so many messages more. Far too much ends the connection. */
  charge(messages: number): void {
    this.#intake.charge(messages);
  }

  /** Milliseconds of debt: how long this client has to wait before more is taken. */
  get debtMs(): number {
    return this.#intake.debtMs;
  }

  /** Ends a subscription from this side, and says why. */
  endSubscription(channel: string, error: TailwireError): void {
    const cursor = this.subscriptions.get(channel);
    if (cursor === undefined || cursor === null) return;
    this.subscriptions.delete(channel);
    this.begun.delete(channel);
    cursor.close();
    const { code, description, retry } = error;
    this.say({ type: "unsubscribed", channel, code, description, retry });
  }

  /** A cursor has put publications into what is written next. */
  delivers(channel: string, { first, last, count }: Slice): void {
    this.node.counters.delivered += count;
    const [from, to] = [first.offset, last.offset];
    this.#trace("out", { type: "publications", channel, first: from, last: to, count });
  }

  /** Ends the subscription: its cursor can't go on without what it failed to get. */
  fail(channel: string, error: unknown): void {
    this.endSubscription(channel, this.node.asTailwireError(error));
  }

  /** `hello` was accepted. */
  open(identity: Identity): void {
    this.#state = nextState(this.#state, "hello");
    this.identity = identity;
    this.onKnown?.();
    this.onKnown = null;
    const { clock, random } = this.node.ports;
    // Spread, so that connections that came at once don't ping at once for ever.
    const first = this.node.limits.pingIntervalMs * (0.5 + random.fraction() / 2);
    this.#pingAt = clock.monotonic() + first;
    this.#dueAgain();
  }

  /** Whether it still makes sense to answer. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /**
   * Queues a message, or two that go out together. They go out before any publication that is not
   * on its way yet.
   */
  say(...messages: readonly ControlMessage[]): void {
    if (!listens(this.#state)) return;
    this.output.say(this.codec.join(messages.map((message) => this.encode(message))));
    this.#enqueueIfNeeded();
    this.#intake.throttle();
  }

  /** Answers a request with an error. */
  refuse(re: string | null, error: TailwireError): void {
    const { code, description, fault, retry, retryAfterMs } = error;
    this.node.counters.error(code);
    this.say({
      type: "error",
      ...(re === null ? {} : { re }),
      code,
      description: utf8Truncate(description, 1_024),
      fault,
      retry,
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    });
  }

  encode(message: ControlMessage | CursorMessage): Wire {
    this.#messageCount += 1;
    const { type, ...rest } = message;
    if (type === "gap") this.node.counters.gaps += 1;
    const id = `s${this.#messageCount}`;
    const stamped = { type, id, timestamp: this.node.ports.clock.now(), ...rest };
    this.#trace("out", stamped);
    return this.codec.encode(stamped as Outgoing<Exclude<ServerMessage, { type: "publication" }>>);
  }

  mark(cursor: Cursor): void {
    if (this.#state !== "open") return;
    this.output.mark(cursor);
    this.#enqueueIfNeeded();
  }

  /** Counts what a request in progress holds, so that its sender can't pile up too many. */
  hold(bytes: number): void {
    this.#intake.hold(bytes);
  }

  /** Ends the conversation. Queued messages go out first, where the socket allows it [CLOSE-2]. */
  close(name: CloseName, detail = ""): void {
    if (!listens(this.#state)) return;
    for (const cursor of this.subscriptions.values()) cursor?.close();
    this.output.serve();
    this.#state = nextState(this.#state, "close");
    const { code } = CLOSE_CODES[name];
    const reason = detail === "" ? name : `${name}: ${detail}`;
    const { clock } = this.node.ports;
    this.node.deadlines.set(this, clock.monotonic() + this.node.limits.closeTimeoutMs);
    this.node.counters.closed(name);
    this.node.log("connection closed", { close: name, user: this.access.userId });
    this.#intake.end();
    this.#transport.close(code, utf8Truncate(reason, PROTOCOL_LIMITS.closeReasonBytesMax));
  }

  // Calls by the sweep and the deadlines: either may come late, on a node that stood still

  serve(): boolean {
    if (this.node.ports.clock.monotonic() >= this.#endsAt) this.close("token_expired");
    if (!listens(this.#state)) return false;
    const wasFree = this.output.blockedAt === null;
    this.output.serve();
    if (wasFree && this.output.blockedAt !== null) this.#dueAgain();
    this.#intake.throttle();
    return this.#hasWork;
  }

  onDue(): void {
    const now = this.node.ports.clock.monotonic();
    switch (this.#state) {
      case "awaiting hello":
        return this.close("hello_timeout");
      case "open":
        if (now >= this.#stallAt) this.close("slow_consumer");
        else if (now >= this.#endsAt) this.close("token_expired");
        else if (now >= this.#pingAt) this.#heartbeat(now);
        this.#dueAgain();
        return;
      default:
        this.#transport.destroy();
    }
  }

  get #hasWork(): boolean {
    return listens(this.#state) && this.output.hasWork;
  }

  // Calls by the intake

  take(decoded: Decoded<ClientMessage>): void {
    try {
      this.#take(decoded);
    } catch (error) {
      // Nothing here throws. If it does, one connection pays for it, and not those behind it.
      this.node.asTailwireError(error);
      this.#transport.destroy();
    }
  }

  #take(decoded: Decoded<ClientMessage>): void {
    if ("malformed" in decoded) return this.#takeMalformed(decoded.malformed);
    if (decoded.message === null) return;
    this.#trace("in", decoded.message);
    switch (accepts(this.#state, decoded.message.type)) {
      case "take":
        return this.node.carryOut(this, decoded.message);
      case "refuse":
        return this.refuse(decoded.message.id, tailwireError("not_ready"));
      case "violation":
        this.refuse(decoded.message.id, tailwireError("not_ready"));
        return this.close("protocol_violation");
      case "ignore":
        return;
    }
  }

  #trace(direction: "in" | "out", message: Traced): void {
    const { traces, ports } = this.node;
    if (!traces.has(this.access.userId)) return;
    const client = this.identity?.clientId ?? null;
    const about = { at: ports.clock.now(), user: this.access.userId, client, direction };
    ports.clock.soon(() => traces.tell(about, message, (tell) => this.node.tell("trace", tell)));
  }

  #takeMalformed(malformed: Malformed): void {
    this.refuse(malformed.re, tailwireError(malformed.code, malformed.detail));
    this.#badMessages += 1;
    if (this.#state === "awaiting hello") this.close("protocol_violation");
    else if (this.#badMessages >= this.node.limits.badMessagesMax) this.close("bad_message");
  }

  #enqueueIfNeeded(): void {
    if (this.#hasWork) this.node.sweep.enqueue(this);
  }

  #heartbeat(now: number): void {
    const { pingIntervalMs, pongTimeoutMs, missedPongsMax } = this.node.limits;
    // While this side doesn't read, silence says nothing about the other.
    if (!this.#intake.reading) this.heard();
    if (this.#missedPongs >= missedPongsMax) return this.close("heartbeat_timeout");
    this.#missedPongs += 1;
    this.say({ type: "ping" });
    this.#pingAt = now + (this.#missedPongs === missedPongsMax ? pongTimeoutMs : pingIntervalMs);
  }

  /** When the token is over, its grace included. Computed anew each time: wall clocks jump. */
  get #endsAt(): number {
    const { clock } = this.node.ports;
    const leftMs = this.access.expiresAt + this.node.limits.expiryGraceMs - clock.now();
    return clock.monotonic() + leftMs;
  }

  /** When the write in progress, if there is one, has taken too long. */
  get #stallAt(): number {
    return (this.output.blockedAt ?? Infinity) + this.node.limits.stallMs;
  }

  /** Sets what is due next of an open connection. The other states have one deadline each. */
  #dueAgain(): void {
    if (this.#state !== "open") return;
    this.node.deadlines.set(this, Math.min(this.#stallAt, this.#pingAt, this.#endsAt));
  }
}
