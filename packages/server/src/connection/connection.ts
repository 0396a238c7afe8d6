/**
 * A connection: one protocol conversation on one socket, from its upgrade to its end.
 *
 * It keeps the conversation's state. Input, output, deadlines, lanes and subscriptions are objects of
 * their own. It doesn't know what a request does, which is `commands/`, nor how bytes travel.
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
  type Encoded,
} from "@tailwire/protocol";
import type { Access } from "../access/access.ts";
import type { Cursor, CursorMessage, CursorOwner } from "../delivery/cursor.ts";
import type { Slice } from "../delivery/encoded-tail.ts";
import type { Served, Sweep } from "../delivery/sweep.ts";
import type { AbortHandle, Transport } from "../ports.ts";
import { SparseMap } from "../support/sparse.ts";
import type { Traces } from "../telemetry/traces.ts";
import { Heartbeat, type HeartbeatHost, type Watched } from "./heartbeat.ts";
import { Holds } from "./holds.ts";
import { Input, type InputHost, type InputOwner } from "./input.ts";
import { Lanes } from "./lanes.ts";
import { type ControlMessage, Output } from "./output.ts";
import type { Contender, Identity } from "./sessions.ts";
import { accepts, type ConnectionState, listens, nextState } from "./states.ts";
import { Subscriptions } from "./subscriptions.ts";

/** Dependencies of a connection on its node. */
export interface ConnectionHost extends InputHost, HeartbeatHost {
  readonly sweep: Sweep;
  readonly traces: Traces;
  /** Does what a message asks for: the door to `commands/`. */
  readonly carryOut: (connection: Connection, message: ClientMessage) => void;
  /** Anything thrown as an error with a code. A value that isn't one already is logged. */
  report(thrown: unknown): TailwireError;
  log(message: string, fields: object): void;
  /** The connection has ended. */
  forget(connection: Connection): void;
}

export class Connection implements Contender, CursorOwner, InputOwner, Served, Watched {
  readonly node: ConnectionHost;
  readonly codec: Codec;
  readonly input: Input;
  readonly output: Output;
  readonly heartbeat: Heartbeat;
  readonly subscriptions = new Subscriptions();
  readonly lanes: Lanes;
  readonly holds: Holds;
  /** The application's notes on this connection. */
  readonly context: Record<string, unknown> = {};
  /** Requests to the application in progress, by id. */
  readonly requests = new SparseMap<string, AbortHandle>();
  /** Fresh tokens that wait, oldest first. Null while none is being judged. */
  freshTokens: Authenticate[] | null = null;
  /** Called once, when it is known whose it is or it has gone without saying so. */
  onKnown: (() => void) | null = null;
  /** Set by `hello`. */
  identity: Identity | null = null;
  /** Permissions of its token. A fresh token brings another. */
  access: Access;
  inLine = false;
  /** When the upgrade was granted, by the monotonic clock. */
  readonly #beganAt: number;
  readonly #transport: Transport;
  #state: ConnectionState = "awaiting hello";
  #messageCount = 0;
  #badMessages = 0;

  constructor(node: ConnectionHost, transport: Transport, codec: Codec, access: Access) {
    const { ports, limits } = node;
    this.node = node;
    this.codec = codec;
    this.access = access;
    this.#transport = transport;
    this.#beganAt = ports.clock.monotonic();
    this.input = new Input(node, transport, this);
    this.output = new Output(ports, limits, codec, transport);
    this.lanes = new Lanes(this);
    this.holds = new Holds(ports.clock, limits.dedupeMs);
    this.heartbeat = new Heartbeat(this);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether it still makes sense to answer. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** When the upgrade was granted, by the monotonic clock. */
  get beganAt(): number {
    return this.#beganAt;
  }

  /** Bytes that this connection makes the server hold beside its cursors. */
  get heldBytes(): number {
    return this.output.bytes + this.input.heldBytes;
  }

  // Calls by the driver, beside those of its input

  /** The last write has left user space. */
  drained(): void {
    this.output.drained();
    this.heartbeat.dueAgain();
    this.#enqueueIfNeeded();
  }

  /** Something in here threw, which is this connection's end and nobody else's. */
  failed(thrown: unknown): void {
    this.node.report(thrown);
    this.close("internal");
  }

  /** The socket is gone, whoever closed it. */
  gone(): void {
    if (this.#state === "closed") return;
    this.#state = nextState(this.#state, "gone");
    this.heartbeat.end();
    this.subscriptions.clear();
    this.output.end();
    this.input.gone();
    this.onKnown?.();
    const cancelled = tailwireError("cancelled");
    void this.node.turns.each([...this.requests.values()], (one) => one.abort(cancelled));
    this.requests.clear();
    this.node.forget(this);
  }

  // Calls by commands and cursors

  /** `hello` was accepted. */
  open(identity: Identity): void {
    this.#state = nextState(this.#state, "hello");
    this.identity = identity;
    this.onKnown?.();
    this.onKnown = null;
    this.heartbeat.begin();
  }

  /** A fresh token was accepted. */
  renew(access: Access): void {
    this.access = access;
    this.heartbeat.dueAgain();
  }

  /** Ends a subscription from this side, and says why. */
  endSubscription(channel: string, error: TailwireError): void {
    if (!this.subscriptions.end(channel)) return;
    const { code, description, retry } = error;
    this.say({ type: "unsubscribed", channel, code, description, retry });
  }

  /** Ends the subscription: its cursor can't go on without what it failed to get. */
  fail(channel: string, error: unknown): void {
    this.endSubscription(channel, this.node.report(error));
  }

  delivers(channel: string, { first, last, count }: Slice): void {
    this.node.counters.delivered += count;
    const run = { channel, first: first.offset, last: last.offset, count };
    this.node.traces.note(this, "out", { type: "publications", ...run });
  }

  mark(cursor: Cursor): void {
    if (this.#state !== "open") return;
    this.output.mark(cursor);
    this.#enqueueIfNeeded();
  }

  /**
   * Queues a message, or two that go out together. They go out before any publication that is not
   * on its way yet.
   */
  say(...messages: readonly ControlMessage[]): void {
    if (!listens(this.#state)) return;
    this.output.say(this.codec.join(messages.map((message) => this.encode(message))));
    this.#enqueueIfNeeded();
    this.input.throttle();
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

  encode(message: ControlMessage | CursorMessage): Encoded {
    this.#messageCount += 1;
    const { type, ...rest } = message;
    if (type === "gap") this.node.counters.gaps += 1;
    const id = `s${this.#messageCount}`;
    const stamped = { type, id, timestamp: this.node.ports.clock.now(), ...rest };
    this.node.traces.note(this, "out", stamped);
    return this.codec.encode(stamped as Outgoing<Exclude<ServerMessage, { type: "publication" }>>);
  }

  /** Ends the conversation. Queued messages go out first, where the socket allows it [CLOSE-2]. */
  close(name: CloseName, detail = ""): void {
    if (!listens(this.#state)) return;
    this.subscriptions.closeAll();
    this.output.serve();
    this.#state = nextState(this.#state, "close");
    this.heartbeat.expect(this.node.limits.closeTimeoutMs);
    this.node.counters.closed(name);
    this.node.log("connection closed", { close: name, user: this.access.userId });
    this.input.end();
    const reason = detail === "" ? name : `${name}: ${detail}`;
    const { closeReasonBytesMax } = PROTOCOL_LIMITS;
    this.#transport.close(CLOSE_CODES[name].code, utf8Truncate(reason, closeReasonBytesMax));
  }

  // Calls by the sweep and the deadlines: either may come late, on a node that stood still

  serve(): boolean {
    if (this.heartbeat.isExpired) this.close("token_expired");
    if (!listens(this.#state)) return false;
    const wasFree = this.output.blockedAt === null;
    this.output.serve();
    if (wasFree && this.output.blockedAt !== null) this.heartbeat.dueAgain();
    this.input.throttle();
    return this.#hasWork;
  }

  overdue(): void {
    if (this.#state === "awaiting hello") this.close("hello_timeout");
    else this.#transport.destroy();
  }

  get #hasWork(): boolean {
    return listens(this.#state) && this.output.hasWork;
  }

  #enqueueIfNeeded(): void {
    if (this.#hasWork) this.node.sweep.enqueue(this);
  }

  // Calls by the input

  accept(decoded: Decoded<ClientMessage>): void {
    try {
      this.#accept(decoded);
    } catch (error) {
      // Nothing here throws. If it does, one connection pays for it, and not those behind it.
      this.node.report(error);
      this.#transport.destroy();
    }
  }

  #accept(decoded: Decoded<ClientMessage>): void {
    if ("malformed" in decoded) return this.#refuseMalformed(decoded.malformed);
    const { message } = decoded;
    if (message === null) return;
    this.node.traces.note(this, "in", message);
    switch (accepts(this.#state, message.type)) {
      case "take":
        return this.node.carryOut(this, message);
      case "refuse":
        return this.refuse(message.id, tailwireError("not_ready"));
      case "violation":
        this.refuse(message.id, tailwireError("not_ready"));
        return this.close("protocol_violation");
      case "ignore":
        return;
    }
  }

  #refuseMalformed(malformed: Malformed): void {
    this.refuse(malformed.re, tailwireError(malformed.code, malformed.detail));
    this.#badMessages += 1;
    if (this.#state === "awaiting hello") this.close("protocol_violation");
    else if (this.#badMessages >= this.node.limits.badMessagesMax) this.close("bad_message");
  }
}
