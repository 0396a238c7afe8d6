/**
 * The client: channels, the outbox and one connection, joined.
 *
 * It routes what comes off the wire to whom it concerns, and shows the connection's status. It
 * doesn't know sockets, and it keeps nothing that isn't in one of its parts.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import {
  channelName,
  type ClientCodec,
  jsonClientCodec,
  JsonText,
  type ParamArgs,
  type Subscribed,
  type TailwireError,
} from "@tailwire/protocol";
import { checkName, checkWait } from "./support/arguments.ts";
import { Channel, type ChannelHost } from "./channel.ts";
import { overError } from "./connection/closes.ts";
import type { ConnectionOptions } from "./connection/connection-options.ts";
import { Connection } from "./connection/connection.ts";
import { Listeners } from "./support/listeners.ts";
import * as CLIENT_LIMITS from "./limits.ts";
import { Outbox } from "./publishing/outbox.ts";
import type { Ports, WebSocketClass } from "./ports.ts";
import { type RequestOptions, Requests } from "./requests.ts";
import { Subscription } from "./following/subscription.ts";
import { type AskToken, askForToken, type GetToken } from "./connection/token.ts";
import { TokenRenewal } from "./connection/token-renewal.ts";
import type { ConnectionStatus, Stop } from "./types.ts";
import { type WireHost, WireSubscription } from "./following/wire-subscription.ts";

export interface ClientOptions {
  /**
   * Gives the token to connect with. Called again for each connection, so return a fresh one each
   * time. Leave it out where the server lets anonymous clients in.
   *
   * A throw, and a result that is no text of 1 to 8,192 characters, is shown as `token_failed`, and
   * the client asks again, after a wait that grows. The signal is aborted when nobody waits for the
   * token any more, after 15 s at the latest [AUTH-5, AUTH-8].
   */
  readonly getToken?: GetToken | undefined;
  /**
   * How to speak, where the server can too: `msgpackCodec` of `@tailwire/protocol/msgpack` sends
   * bytes as they are. JSON where it is left out.
   */
  readonly codec?: ClientCodec | undefined;
  /**
   * The WebSocket to use, as a bundle for Node needs it: `ws`'s or one of the standard's form. Where it is
   * left out, it is `ws` where that is installed, else the global one.
   */
  readonly WebSocket?: WebSocketClass | undefined;
}

/** A subscription that the server has begun by itself [SUB-10]. */
export interface Begun {
  readonly channel: Channel;
  readonly subscription: Subscription;
}

export class Client implements AsyncDisposable {
  readonly #ports: Ports;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #requests: Requests;
  /** Null where there are no tokens. */
  readonly #renewal: TokenRenewal | null;
  readonly #wires = new Map<string, WireSubscription>();
  readonly #onStatus = new Listeners<ConnectionStatus>();
  /** As it was when it was asked for last. */
  #status: ConnectionStatus | null = null;
  /** As it was told last. */
  #told: ConnectionStatus | null = null;
  #telling = false;
  readonly #onSubscribed = new Listeners<Begun>();
  readonly #onError = new Listeners<TailwireError>();
  readonly #host: ChannelHost & WireHost;
  #closing: Promise<void> | null = null;
  /** Looks whether `close()` has waited for everything. */
  #settled: () => void = () => undefined;
  #ended = false;

  constructor(url: string, options: ClientOptions, ports: Ports) {
    const { getToken, codec = jsonClientCodec } = options;
    this.#ports = ports;
    const askToken: AskToken | null =
      getToken === undefined
        ? null
        : (answered) => askForToken(getToken, ports.abort(), this.#connection.scope, answered);
    this.#connection = new Connection({
      url,
      ports,
      codec,
      askToken,
      opened: () => this.#opened(),
      welcomed: (welcome) => this.#renewal?.schedule(welcome),
      received: (message) => this.#received(message),
      lost: () => this.#lost(),
      blamed: (code) => this.#outbox.blame(code),
      failing: (why) => this.#complain(why),
      changed: () => this.#changed(),
    });
    this.#outbox = new Outbox(ports.clock, this.#connection, () => this.#changed());
    this.#requests = new Requests(ports.clock, this.#connection, () =>
      ports.clock.soon(() => this.#settled()),
    );
    this.#host = {
      publish: async (...args) => {
        this.#mustBeOpen();
        return this.#outbox.publish(...args);
      },
      ask: async (question, asking) => {
        this.#mustBeOpen();
        checkWait(asking.signal, asking.timeoutMs);
        return this.#requests.ask(question, asking);
      },
      wire: (name) => this.#wire(name),
      complain: (why) => this.#complain(why),
      connection: this.#connection,
      outbox: this.#outbox,
      unsubscribe: (name) => this.#unsubscribe(name),
      unused: (name, wire) => {
        // A listener that was told of its end may have begun anew, on another.
        if (this.#wires.get(name) === wire) this.#wires.delete(name);
      },
    };
    this.#renewal =
      askToken &&
      new TokenRenewal(this.#connection.scope, askToken, (token, answered) =>
        this.#connection.say({ type: "authenticate", token }, answered),
      );
  }

  /** The connection as it is now: a new object on every change, and the same until then. */
  get status(): ConnectionStatus {
    const now = { ...this.#connection.status, pending: this.#outbox.size };
    const isAsBefore = JSON.stringify(now) === JSON.stringify(this.#status);
    return (this.#status = (isAsBefore && this.#status) || now);
  }

  /** The public id that the server gave it, as in `publication.publisher`; null before the first connection. */
  get id(): string | null {
    return this.#connection.welcome?.client ?? null;
  }

  /** Calls back on every change of status. Changes of one moment are told together. */
  onStatus(listener: (status: ConnectionStatus) => void): Stop {
    return this.#onStatus.add(listener);
  }

  /**
   * Calls back with what nobody would be told of otherwise: `connect_failed`, with the cause, after three
   * failures in a row; `unheard`, when a subscription has a gap or has ended, and nobody listens for
   * that. Where nobody listens here either, it is a `console.warn`.
   */
  onError(listener: (error: TailwireError) => void): Stop {
    return this.#onError.add(listener);
  }

  /**
   * The channel of a pattern: `channel("room:{id}", { id })`. Cheap, and sends nothing by itself.
   *
   * @throws `bad_channel` when a param is empty, holds a separator, or the name is too long.
   */
  channel<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): Channel {
    return new Channel(this.#host, channelName(pattern, params[0] ?? {}));
  }

  /**
   * Calls back when the server begins a subscription by itself. It is like any other: it goes on
   * after a reconnect, and is closed here when nobody needs it.
   */
  onSubscribed(listener: (begun: Begun) => void): Stop {
    return this.#onSubscribed.add(listener);
  }

  /**
   * Asks the application on the server, and resolves with its answer. Both are JSON values, null
   * where left out. It is sent once; where it may have run and its answer was lost, the promise
   * rejects with `indeterminate`.
   *
   * @throws TailwireError `invalid_data`, saying where, when the input is no JSON value; `timeout`,
   * `unknown_request`, `indeterminate`, `closed`, `too_large`, why the server has closed the connection
   * for good, or a code of the application's own; `bad_message`, when the name breaks the grammar (1 to
   * 64 of `A-Z a-z 0-9 _ . : -`) or an option isn't what it should be; the signal's reason, when that
   * took it back.
   */
  async request(name: string, input?: unknown, options: RequestOptions = {}): Promise<unknown> {
    checkName(name);
    const data = JsonText.of(input ?? null);
    return (await this.#host.ask({ type: "request", name, data }, options)).data ?? null;
  }

  /**
   * Connects now, instead of waiting for `status.retryAt`; and where the platform says that there is
   * no network, too, since it may be wrong. After `goOffline()` it does nothing.
   */
  retryNow(): void {
    this.#connection.retryNow();
  }

  /** Disconnects and stays so, until `goOnline()`. Publications wait in the outbox. */
  goOffline(): void {
    this.#connection.goOffline();
  }

  /** Ends `goOffline()`: connects, unless there is no network or the page is hidden. */
  goOnline(): void {
    this.#connection.goOnline();
  }

  /**
   * Closes for good, and takes nothing new. Resolves when all that was published and asked is
   * answered, or 5 s have passed, or the application itself keeps it offline; until then the status
   * is what it would be. Publications and requests that are left reject: with `closed` when they were
   * never sent, else with `indeterminate`. `await using` does the same.
   */
  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = new Promise((resolve) => {
        const end = (): void => {
          cancel();
          this.#connection.close();
          resolve();
        };
        const cancel = this.#ports.clock.after(CLIENT_LIMITS.closeMs, end);
        this.#settled = () => {
          const isDone = this.#outbox.size + this.#requests.size === 0;
          if (isDone || this.#connection.isKeptAway) end();
        };
      });
      this.#settled();
      // A wait for the next attempt may be longer than this one.
      this.#connection.hurry();
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Why nothing can be asked any more; null while it can. */
  #over(): TailwireError | null {
    const { refusal } = this.#connection;
    return refusal || this.#closing ? overError(refusal) : null;
  }

  #mustBeOpen(): void {
    const over = this.#over();
    if (over) throw over;
  }

  #wire(name: string): WireSubscription {
    this.#mustBeOpen();
    let wire = this.#wires.get(name);
    if (!wire) {
      wire = new WireSubscription(this.#host, name);
      this.#wires.set(name, wire);
    }
    this.#connection.use();
    return wire;
  }

  #unsubscribe(name: string): void {
    const message = { type: "unsubscribe", channel: name } as const;
    this.#connection.say(message, () => this.#wires.get(name)?.released());
  }

  #opened(): void {
    for (const wire of this.#wires.values()) wire.reconsider();
    this.#outbox.opened();
    this.#requests.opened();
  }

  #lost(): void {
    this.#requests.lost();
    for (const wire of this.#wires.values()) wire.lost();
  }

  #received(message: Parameters<ConnectionOptions["received"]>[0]): void {
    switch (message.type) {
      case "subscribed":
        return this.#subscribed(message);
      case "unsubscribed":
        return this.#wires.get(message.channel)?.unsubscribed(message);
      default:
        return this.#wires.get(message.channel)?.receive(message);
    }
  }

  /** Hands a subscription that the server began to the application; ends it where nobody wants it. */
  #subscribed({ channel: name, position }: Subscribed): void {
    const known = this.#wires.get(name);
    // The subscribe that is under way is answered, and the server's own is over [SUB-10].
    if (known?.isAsking) return;
    // Nobody takes what it would bring: nobody wants it, or who follows the channel waits.
    if (known || this.#onSubscribed.size === 0 || this.#over()) {
      return this.#unsubscribe(name);
    }
    const wire = this.#wire(name);
    const subscription = new Subscription(wire, {});
    wire.startedByServer(subscription, position);
    const channel = new Channel(this.#host, name);
    void this.#onSubscribed.tell({ channel, subscription });
  }

  #complain(error: TailwireError): void {
    if (this.#onError.size > 0) void this.#onError.tell(error);
    else this.#ports.warn(`tailwire: ${error.message}`);
  }

  #changed(): void {
    if (this.#connection.state === "closed" && !this.#ended) this.#end();
    if (this.#telling) return;
    this.#telling = true;
    this.#ports.clock.soon(() => {
      this.#telling = false;
      this.#settled();
      const { status } = this;
      if (status === this.#told) return;
      this.#told = status;
      void this.#onStatus.tell(status);
    });
  }

  /** The connection is closed for good: everything that still waits is told so. */
  #end(): void {
    this.#ended = true;
    const why = overError(this.#connection.refusal);
    this.#outbox.close(why);
    this.#requests.close(why);
    // A listener that is told of it can begin no other subscription.
    for (const wire of this.#wires.values()) wire.end(this.#closing ? null : why);
  }
}
