/**
 * The client: channels, the outbox and one connection, joined.
 *
 * It routes what comes off the wire to whom it concerns, and shows the connection's status. It
 * doesn't know sockets, and it keeps nothing that isn't in one of its parts.
 */
import {
  type AbortSignalLike,
  type Ack,
  channelName,
  type ErrorMessage,
  type ParamArgs,
  type ServerMessage,
  localError,
} from "@tailwire/protocol";
import { Channel } from "./channel.ts";
import { Connection } from "./connection.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import { Outbox } from "./outbox.ts";
import type { AbortControllerLike, Ports } from "./ports.ts";
import { type RequestOptions, Requests } from "./requests.ts";
import { TokenRenewal } from "./token-renewal.ts";
import type { ConnectionStatus, Stop } from "./types.ts";
import { type Unidentified, type Wire, WireSubscription } from "./wire-subscription.ts";

export interface ClientOptions {
  /**
   * Gives the token to connect with. Called again for each connection, so return a fresh one each
   * time. Leave it out where the server lets anonymous clients in.
   */
  readonly getToken?: (options: { readonly signal: AbortSignalLike }) => string | Promise<string>;
}

export class Client implements AsyncDisposable {
  readonly #ports: Ports;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #requests: Requests;
  readonly #renewal: TokenRenewal;
  readonly #wires = new Map<string, WireSubscription>();
  /** Who waits for the answer to a request, by its id. Publications wait in the outbox. */
  readonly #answers = new Map<string, (answer: Ack | ErrorMessage) => void>();
  readonly #onStatus = new Set<(status: ConnectionStatus) => void>();
  /** Takes back a `getToken` under way when the client is closed. */
  readonly #abort: AbortControllerLike;
  /** Null when it has changed since it was last asked for. */
  #status: ConnectionStatus | null = null;
  #telling = false;
  #closing: Promise<void> | null = null;

  constructor(url: string, { getToken }: ClientOptions, ports: Ports) {
    this.#ports = ports;
    this.#abort = ports.abort();
    const freshToken =
      getToken === undefined ? null : async () => getToken({ signal: this.#abort.signal });
    this.#connection = new Connection({
      url,
      ports,
      getToken: freshToken,
      owner: {
        opened: () => this.#opened(),
        welcomed: (welcome) => this.#renewal.schedule(welcome),
        received: (message) => this.#received(message),
        lost: () => this.#lost(),
        changed: () => this.#changed(),
      },
    });
    this.#outbox = new Outbox(ports, this.#connection, () => this.#changed());
    this.#requests = new Requests(ports, this.#connection);
    this.#renewal = new TokenRenewal({
      clock: ports.clock,
      getToken: freshToken ?? (() => Promise.reject(localError("unauthenticated"))),
      authenticate: (token, answered) => this.#ask({ type: "authenticate", token }, answered),
    });
  }

  /** The connection as it is now: a new object on every change. */
  get status(): ConnectionStatus {
    this.#status ??= this.#currentStatus();
    return this.#status;
  }

  /** The public id under which this client publishes; null before the first connection. */
  get id(): string | null {
    return this.#connection.welcome?.client ?? null;
  }

  /** Calls back on every change of status. Changes of one moment are told together. */
  onStatus(listener: (status: ConnectionStatus) => void): Stop {
    this.#onStatus.add(listener);
    return () => void this.#onStatus.delete(listener);
  }

  /**
   * The channel of a pattern: `channel("room:{id}", { id })`. Cheap, and sends nothing by itself.
   *
   * @throws `bad_channel` when a param is empty, holds a separator, or the name is too long.
   */
  channel<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): Channel {
    return new Channel(
      { outbox: this.#outbox, wire: (name) => this.#wire(name) },
      channelName(pattern, params[0] ?? {}),
    );
  }

  /**
   * Asks the application on the server, and resolves with its answer: a JSON value. It is sent
   * once; where it may have run and its answer was lost, the promise rejects with `indeterminate`.
   *
   * @throws TailwireError `timeout`, `unknown_request`, `indeterminate`, `closed`, or a code of the
   * application's own; the signal's reason, when that took it back.
   */
  request(name: string, input?: unknown, options: RequestOptions = {}): Promise<unknown> {
    if (this.#closing !== null) return Promise.reject(localError("closed"));
    return this.#requests.ask(name, input, options);
  }

  /** Connects now, instead of waiting for `status.retryAt`. */
  retryNow(): void {
    this.#connection.retryNow();
  }

  /** Disconnects and stays so. Publications wait in the outbox. */
  goOffline(): void {
    this.#connection.goOffline();
  }

  /** Ends `goOffline()`. */
  goOnline(): void {
    this.#connection.goOnline();
  }

  /**
   * Closes for good. Resolves when the outbox is empty or 5 s have passed; what is left rejects:
   * with `closed` when it was never sent, else with `indeterminate`. `await using` does the same.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#connection.state === "connected") {
      await new Promise<void>((resolve) => {
        const cancel = this.#ports.clock.after(CLIENT_LIMITS.closeMs, resolve);
        void this.#outbox.empty().then(() => {
          cancel();
          resolve();
        });
      });
    }
    this.#connection.close();
  }

  #wire(name: string): WireSubscription {
    if (this.#closing !== null || this.#connection.state === "closed") throw localError("closed");
    let wire = this.#wires.get(name);
    if (wire === undefined) {
      wire = new WireSubscription(name, this.#portsOf(name));
      this.#wires.set(name, wire);
    }
    this.#connection.use();
    return wire;
  }

  #portsOf(name: string): Wire {
    const connection = this.#connection;
    return {
      get isOpen() {
        return connection.isOpen;
      },
      get client() {
        return connection.welcome?.client ?? null;
      },
      request: (message, answered) => this.#ask(message, answered),
      noteEpoch: (epoch) => this.#outbox.noteEpoch(name, epoch),
      seen: (publication, position) => this.#outbox.seen(publication, position),
      after: (ms, callback) => void this.#ports.clock.after(ms, callback),
      idle: () => void this.#wires.delete(name),
    };
  }

  #ask(
    message: Unidentified | { readonly type: "authenticate"; readonly token: string },
    answered: (answer: Ack | ErrorMessage) => void,
  ): void {
    this.#answers.set(this.#connection.say(message), answered);
  }

  #opened(): void {
    for (const wire of this.#wires.values()) wire.opened();
    this.#outbox.opened();
    this.#requests.opened();
  }

  #lost(): void {
    this.#answers.clear();
    this.#renewal.stop();
    this.#requests.lost();
    for (const wire of this.#wires.values()) wire.lost();
  }

  #received(message: ServerMessage): void {
    switch (message.type) {
      case "ack":
      case "error":
        return this.#answered(message);
      case "publication":
      case "gap":
      case "epoch":
      case "caughtup":
        return this.#wires.get(message.channel)?.receive(message);
      case "unsubscribed":
        return this.#wires.get(message.channel)?.unsubscribed(message);
      default:
        // The rest is the connection's own.
        return;
    }
  }

  #answered(answer: Ack | ErrorMessage): void {
    if (answer.re === undefined) return;
    if (this.#outbox.answered(answer) || this.#requests.answered(answer)) return;
    const answered = this.#answers.get(answer.re);
    this.#answers.delete(answer.re);
    answered?.(answer);
  }

  #changed(): void {
    if (this.#connection.state === "closed" && !this.#abort.signal.aborted) this.#end();
    this.#status = null;
    if (this.#telling) return;
    this.#telling = true;
    this.#ports.clock.soon(() => {
      this.#telling = false;
      for (const listener of this.#onStatus) listener(this.status);
    });
  }

  /** The connection is closed for good: everything that still waits is told so. */
  #end(): void {
    this.#abort.abort(localError("closed"));
    this.#renewal.stop();
    this.#outbox.close();
    this.#requests.close();
    const { reason } = this.#connection;
    const why = localError(reason === "unauthenticated" ? "unauthenticated" : "closed");
    for (const wire of this.#wires.values()) wire.end(this.#closing === null ? why : null);
  }

  #currentStatus(): ConnectionStatus {
    const { state, attempt, retryAt, reason } = this.#connection;
    return { state, attempt, retryAt, reason, pending: this.#outbox.size };
  }
}
