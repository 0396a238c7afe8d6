/**
 * A connection: one protocol conversation on one socket, from its upgrade to its end.
 *
 * It keeps the conversation's state, its deadlines and its output, and hands requests to
 * `commands.ts`. It doesn't know what a request does, nor how bytes travel.
 */
import {
  CLOSE_CODES,
  type ClientMessage,
  type CloseName,
  type Codec,
  type Decoded,
  type ErrorCode,
  type Malformed,
  type Outgoing,
  PROTOCOL_LIMITS,
  type ServerMessage,
  type TailwireError,
  tailwireError,
  utf8Length,
  utf8Truncate,
  type Wire,
} from "@tailwire/protocol";
import { accepts, type ConnectionState, nextState } from "./connection-states.ts";
import type { Cursor, CursorMessage, CursorOwner } from "./cursor.ts";
import type { Due } from "./deadlines.ts";
import { Holds } from "./holds.ts";
import { Lanes } from "./lanes.ts";
import type { Access, User } from "./access.ts";
import type { TailwireNode } from "./node.ts";
import { type ControlMessage, ControlQueue, Flush } from "./output.ts";
import type { AbortHandle, Transport } from "./ports.ts";
import { InboundRate } from "./rate-limit.ts";
import type { Served } from "./sweep.ts";

/** Who a connection speaks for, once `hello` has said which session it is. */
export interface Identity {
  /** Public id of the client, and the producer of its publications. */
  readonly clientId: string;
  readonly generation: number;
}

export class Connection implements CursorOwner, Due, Served {
  readonly node: TailwireNode;
  /** What the application keeps about this connection. */
  readonly context: Record<string, unknown> = {};
  /** Requests to the application in progress, by id. */
  readonly requests = new Map<string, AbortHandle>();
  readonly holds: Holds;
  /** By channel. Null while the subscribe is in progress. */
  readonly subscriptions = new Map<string, Cursor | null>();
  readonly lanes = new Lanes();
  /** Set by `hello`. */
  identity: Identity | null = null;
  /** What its token allows. A fresh token brings another. */
  access: Access;
  dueAt = Infinity;
  filedAt: number | null = null;
  inLine = false;
  /** When the upgrade was granted, by the monotonic clock. */
  readonly #beganAt: number;
  readonly #transport: Transport;
  readonly #codec: Codec;
  readonly #control = new ControlQueue();
  /** Cursors with something to send, in line for this socket. */
  readonly #marked: Cursor[] = [];
  #state: ConnectionState = "awaiting hello";
  #messageCount = 0;
  #badMessages = 0;
  /** Bytes that requests in progress hold. */
  #requestBytes = 0;
  readonly #inbound: InboundRate;
  #reading = true;
  #pingAt = Infinity;
  #missedPongs = 0;
  /** When the last write began that hasn't completed; null while the socket is free. */
  #blockedAt: number | null = null;

  constructor(node: TailwireNode, transport: Transport, codec: Codec, access: Access) {
    const { clock } = node.ports;
    this.node = node;
    this.access = access;
    this.holds = new Holds(clock, node.limits.dedupeMs);
    this.#inbound = new InboundRate(clock, node.limits, () => this.#rested());
    this.#transport = transport;
    this.#codec = codec;
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
    return this.#control.bytes + this.#requestBytes;
  }

  // What the driver tells

  /** One WebSocket message has come. */
  receive(wire: Wire): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.heard();
    const bytes = typeof wire === "string" ? utf8Length(wire) : wire.length;
    if (this.#state === "awaiting hello" && bytes > PROTOCOL_LIMITS.firstBytesMax) {
      return this.close("too_large");
    }
    const messages = this.#codec.decodeClientMessages(wire);
    if (!this.#inbound.take(messages.length, bytes)) return this.close("rate_limited");
    this.#throttle();
    for (const decoded of messages) this.#take(decoded);
  }

  /** Something has come, which shows that the peer lives [LIVE-2]. */
  heard(): void {
    this.#missedPongs = 0;
  }

  /** The last write has left user space. */
  drained(): void {
    this.#blockedAt = null;
    this.#dueAgain();
    this.#enqueueIfNeeded();
  }

  /** The socket is gone, whoever closed it. */
  gone(): void {
    if (this.#state === "closed") return;
    this.#state = nextState(this.#state, "gone");
    this.node.deadlines.clear(this);
    for (const cursor of this.subscriptions.values()) cursor?.close();
    this.subscriptions.clear();
    this.#marked.length = 0;
    for (const request of this.requests.values()) request.abort(tailwireError("cancelled"));
    this.requests.clear();
    this.node.forget(this);
  }

  // What commands and cursors use

  /** A fresh token was accepted, or the one of `hello`. */
  renew(access: Access): void {
    this.access = access;
    this.#dueAgain();
  }

  /** Milliseconds of debt: how long this client has to wait before more is taken. */
  get debtMs(): number {
    return this.#inbound.debtMs;
  }

  /** Ends a subscription from this side, and says why. */
  endSubscription(channel: string, error: TailwireError): void {
    const cursor = this.subscriptions.get(channel);
    if (cursor === undefined || cursor === null) return;
    this.subscriptions.delete(channel);
    cursor.close();
    const { code, description } = error;
    this.say({ type: "unsubscribed", channel, code, description });
  }

  /** `hello` was accepted. */
  open(identity: Identity): void {
    this.#state = nextState(this.#state, "hello");
    this.identity = identity;
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

  /** Queues a message. It goes out before any publication that is not on its way yet. */
  say(message: ControlMessage): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#control.add(this.encode(message));
    this.#enqueueIfNeeded();
    this.#throttle();
  }

  /** Answers a request with an error. */
  refuse(re: string | null, error: TailwireError): void {
    const { code, description, fault, retry, retryAfterMs } = error;
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

  encode(message: ControlMessage | CursorMessage): string {
    this.#messageCount += 1;
    const { type, ...rest } = message;
    return this.#codec.encode({
      type,
      id: `s${this.#messageCount}`,
      timestamp: this.node.ports.clock.now(),
      ...rest,
    } as Outgoing<Exclude<ServerMessage, { type: "publication" }>>);
  }

  mark(cursor: Cursor): void {
    if (cursor.marked || this.#state !== "open") return;
    cursor.marked = true;
    this.#marked.push(cursor);
    this.#enqueueIfNeeded();
  }

  /** Counts what a request in progress holds, so that its sender can't pile up too many. */
  hold(bytes: number): void {
    this.#requestBytes += bytes;
    this.#throttle();
  }

  /** Ends the conversation. What is queued goes out first, where the socket allows it [CLOSE-2]. */
  close(name: CloseName, detail = ""): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    if (this.#blockedAt === null) this.serve();
    this.#state = nextState(this.#state, "close");
    const { code } = CLOSE_CODES[name];
    const reason = detail === "" ? name : `${name}: ${detail}`;
    const { clock } = this.node.ports;
    this.node.deadlines.set(this, clock.monotonic() + this.node.limits.closeTimeoutMs);
    for (const cursor of this.subscriptions.values()) cursor?.close();
    this.node.log("connection closed", { close: name, user: this.user.id });
    // A paused socket would never see the peer's answer.
    this.#transport.resume();
    this.#transport.close(code, utf8Truncate(reason, PROTOCOL_LIMITS.closeReasonBytesMax));
  }

  /** Ends the conversation some time from now, if it hasn't ended by then. */
  closeAfter(ms: number, name: CloseName): void {
    this.node.ports.clock.after(ms, () => this.close(name));
  }

  // What the sweep and the deadlines call

  serve(): boolean {
    if (this.#blockedAt !== null || this.#state === "closing" || this.#state === "closed")
      return false;
    const flush = new Flush(this.node.ports, this.node.limits.flushBytesMax);
    this.#control.drainInto(flush);
    this.#serveCursors(flush);
    const frames = flush.finish();
    if (frames.length > 0 && !this.#transport.write(frames)) {
      this.#blockedAt = this.node.ports.clock.monotonic();
      this.#dueAgain();
    }
    this.#throttle();
    return this.#hasWork;
  }

  onDue(): void {
    const now = this.node.ports.clock.monotonic();
    switch (this.#state) {
      case "awaiting hello":
        this.close("hello_timeout");
        return;
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
    return (
      this.#blockedAt === null &&
      this.#state !== "closing" &&
      this.#state !== "closed" &&
      (!this.#control.isEmpty || this.#marked.length > 0)
    );
  }

  #take(decoded: Decoded<ClientMessage>): void {
    if ("malformed" in decoded) return this.#takeMalformed(decoded.malformed);
    if (decoded.message === null) return;
    switch (accepts(this.#state, decoded.message.type)) {
      case "take":
        return this.node.carryOut(this, decoded.message);
      case "refuse":
        return this.refuse(decoded.message.id, tailwireError("not_ready"));
      case "violation":
        return this.#violation("not_ready", decoded.message.id);
      case "ignore":
        return;
    }
  }

  #takeMalformed(malformed: Malformed): void {
    // Once it closes, nobody hears an answer any more.
    if (this.#state === "closing" || this.#state === "closed") return;
    this.refuse(malformed.re, tailwireError(malformed.code, malformed.detail));
    this.#badMessages += 1;
    if (this.#state === "awaiting hello") this.close("protocol_violation");
    else if (this.#badMessages >= this.node.limits.badMessagesMax) this.close("bad_message");
  }

  #violation(code: ErrorCode, re: string): void {
    this.refuse(re, tailwireError(code));
    this.close("protocol_violation");
  }

  #serveCursors(flush: Flush): void {
    // The first that doesn't fit goes to the back, so that no channel starves another.
    for (let turns = this.#marked.length; turns > 0 && flush.hasRoom; turns -= 1) {
      const cursor = this.#marked.shift() as Cursor;
      cursor.marked = false;
      cursor.serve(flush);
      if (cursor.behind) this.mark(cursor);
    }
  }

  #enqueueIfNeeded(): void {
    if (this.#hasWork) this.node.sweep.enqueue(this);
  }

  /** Stops reading while too much waits here, and goes on at half of that [FLOW-3]. */
  #throttle(): void {
    const { controlBytesMax, requestBytesMax } = this.node.limits;
    const share = Math.max(
      this.#control.bytes / controlBytesMax,
      this.#requestBytes / requestBytesMax,
      this.debtMs > 0 ? Infinity : 0,
    );
    if (this.#reading && share > 1) {
      this.#reading = false;
      this.#transport.pause();
    } else if (!this.#reading && share <= 0.5) {
      this.#reading = true;
      this.#transport.resume();
    }
  }

  #rested(): void {
    if (this.#state !== "closed") this.#throttle();
  }

  #heartbeat(now: number): void {
    const { pingIntervalMs, pongTimeoutMs, missedPongsMax } = this.node.limits;
    // While this side doesn't read, silence says nothing about the other.
    if (!this.#reading) this.heard();
    if (this.#missedPongs >= missedPongsMax) return this.close("heartbeat_timeout");
    this.#missedPongs += 1;
    this.say({ type: "ping" });
    const last = this.#missedPongs === missedPongsMax;
    this.#pingAt = now + (last ? pongTimeoutMs : pingIntervalMs);
  }

  /** When the token is over, its grace included. Computed anew each time: wall clocks jump. */
  get #endsAt(): number {
    const { clock } = this.node.ports;
    const leftMs = this.access.expiresAt + this.node.limits.expiryGraceMs - clock.now();
    return clock.monotonic() + leftMs;
  }

  /** When the write in progress, if there is one, has taken too long. */
  get #stallAt(): number {
    return this.#blockedAt === null ? Infinity : this.#blockedAt + this.node.limits.stallMs;
  }

  /** Sets what is due next of an open connection. The other states have one deadline each. */
  #dueAgain(): void {
    if (this.#state !== "open") return;
    this.node.deadlines.set(this, Math.min(this.#stallAt, this.#pingAt, this.#endsAt));
  }
}
