/**
 * The client's connection: it keeps one alive for as long as it is wanted, whatever happens.
 *
 * It makes sockets, says hello, answers pings, notices silence, waits and tries again. The other
 * messages are its owner's business; this file knows no channel and no publication.
 */
import {
  type Ack,
  ASSUMED_LIMITS,
  BEARER_PREFIX,
  type Cancel,
  type ClientCodec,
  type ClientMessage,
  type ErrorMessage,
  jsonClientCodec,
  type Outgoing,
  type ServerMessage,
  SUBPROTOCOL_JSON,
  TailwireError,
  type Unstamped,
  verdictOf,
  type Welcome,
  wordsOf,
  type Encoded,
} from "@tailwire/protocol";
import { backoffMs } from "./backoff.ts";
import type { Line } from "./batches.ts";
import { BLAMES, CLOSES, type Failure, failureError, reasonOf } from "./closes.ts";
import {
  CONNECTION_STATES,
  type ConnectionEvent,
  type ConnectionState,
} from "./connection-states.ts";
import type { Answered, ConnectionOptions } from "./connection-options.ts";
import * as CLIENT_LIMITS from "../limits.ts";
import { Machine } from "../support/machine.ts";
import { Link } from "./link.ts";
import type { LifeEvent, Ports, SocketEvents } from "../ports.ts";
import { Scope } from "./scope.ts";
import { watchSilence } from "./silence.ts";
import type { ConnectionStatus } from "../types.ts";
import { VERSION } from "./version.ts";

/** A message before it has an id and a timestamp. Publications say more of themselves. */
type Unidentified = Unstamped<Exclude<ClientMessage, { type: "publish" }>>;

/** Why the connection stays away: the application said so, there is no network, the page is hidden. */
type Absence = "asked" | Extract<LifeEvent, "offline" | "pagehide">;

export class Connection {
  /** Timers, and whatever else ends with the attempt, or with the connection as it is. */
  readonly scope: Scope;
  /** Callbacks for the answers that are due on the connection as it is, by the message's id. */
  readonly answers = new Map<string, Answered>();
  readonly #options: ConnectionOptions;
  readonly #ports: Ports;
  /** The codec that the server has chosen; before, the one to begin with. */
  codec: ClientCodec;
  /** The server's last welcome; null before the first. */
  welcome: Welcome | null = null;
  /** Why the server has closed it for good, for `overError`; null when it hasn't. */
  refusal: Failure | null = null;
  readonly #machine = new Machine(CONNECTION_STATES, "idle");
  /** The session's secret: it proves to every node that this is the same publisher. */
  readonly #session: string;
  readonly #idPrefix: string;
  #lastId = 0;
  #generation = 0;
  /** The attempt or the connection as it is; null while there is none. An older one isn't heard. */
  #link: Link | null = null;
  readonly #absences = new Set<Absence>();
  /** Attempts since the connection was last up; 0 while it is. */
  #attempt = 0;
  /** When the next attempt is due, in Unix milliseconds; null while nobody waits for it. */
  #retryAt: number | null = null;
  /** Failures in a row, which make the waits longer. */
  #failures = 0;
  /** Tokens refused in a row. */
  #refusals = 0;
  #failure: Failure | null = null;
  /** Asks for a sign of life; null while there is no connection. */
  #ask: (() => void) | null = null;
  #stopLife: Cancel | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#ports = options.ports;
    this.scope = new Scope(options.ports.clock);
    this.codec = options.codec;
    this.#session = options.ports.random.token();
    this.#idPrefix = options.ports.random.token().slice(0, 10);
  }

  get state(): ConnectionState {
    return this.#machine.state;
  }

  /** The part of `client.status` that is about the connection. */
  get status(): Omit<ConnectionStatus, "pending"> {
    return {
      state: this.state,
      attempt: this.#attempt,
      retryAt: this.#retryAt,
      reason: this.#failure?.reason ?? null,
    };
  }

  /** Whether the application keeps it away: it won't come back by itself. */
  get isKeptAway(): boolean {
    return this.#absences.has("asked");
  }

  /** Whether messages can be sent: hello is said. */
  get isOpen(): boolean {
    return this.#link?.isOpen === true;
  }

  /** The server's limits: the last ones it named, or the assumed ones. */
  get limits(): typeof ASSUMED_LIMITS {
    return this.welcome?.limits ?? ASSUMED_LIMITS;
  }

  /** A new id for a request: unique within the session [MSG-2]. */
  nextId(): string {
    this.#lastId += 1;
    return `${this.#idPrefix}.${this.#lastId}`;
  }

  /** Connects, if nobody asked for that before. */
  use(): void {
    this.#begin();
    this.#enter("use");
  }

  /** Ends a wait before the next attempt. */
  hurry(): void {
    if (this.#retryAt !== null) this.#connect();
  }

  /** The same, and where the platform thinks that there is no network: it may be wrong. */
  retryNow(): void {
    this.hurry();
    this.#return("offline");
  }

  goOffline(): void {
    this.#begin();
    this.#leave("asked");
  }

  goOnline(): void {
    this.#return("asked");
  }

  close(): void {
    this.#enter("close");
  }

  /** Sends a line, together with others of this moment. Only while {@link isOpen}. */
  send(line: Line): void {
    this.#link?.send(line);
  }

  /**
   * Sends a message, and calls back with its answer. Only while {@link isOpen}. It isn't written once its
   * answer isn't waited for any more.
   */
  say(
    { type, ...rest }: Unidentified,
    answered?: Answered,
    id = this.nextId(),
    onWrite?: () => void,
  ): void {
    const timestamp = this.#ports.clock.now();
    const message = { type, id, timestamp, ...rest } as Outgoing<ClientMessage>;
    if (answered) this.answers.set(id, answered);
    this.send({
      encode: (codec) => (answered && !this.answers.has(id) ? "" : codec.encode(message)),
      onWrite,
      onTooLarge: answered,
    });
  }

  /** Listens to the platform from the first use on: a client that isn't used costs nothing. */
  #begin(): void {
    if (this.state !== "idle") return;
    this.#stopLife = this.#ports.life(this.#options.url, (event) => this.#onLife(event));
  }

  #onLife(event: LifeEvent): void {
    switch (event) {
      case "offline":
      case "pagehide":
        return this.#leave(event);
      case "online":
        return this.#return("offline");
      case "pageshow":
        return this.#return("pagehide");
      case "wake":
        // A socket may have died meanwhile, or not: it is asked. A wait has been long enough.
        this.#ask?.();
        return this.hurry();
      default:
        event satisfies never;
    }
  }

  #leave(absence: Absence): void {
    this.#absences.add(absence);
    this.#enter("goOffline");
  }

  /** Comes back, once nothing else keeps it away. */
  #return(absence: Absence): void {
    this.#absences.delete(absence);
    if (this.#absences.size === 0) this.#enter("goOnline");
  }

  #enter(event: ConnectionEvent): void {
    const from = this.state;
    this.#machine.enter(event);
    const { state } = this.#machine;
    if (state === from && event !== "lost") return;
    if (state === "connecting" || state === "reconnecting") {
      if (event === "lost") this.#wait();
      else this.#connect();
    } else if (state === "connected") {
      this.#attempt = this.#refusals = 0;
      this.#failure = null;
    } else {
      if (state === "closed") this.#stopLife?.();
      this.#drop("done");
      this.#failures = 0;
    }
    this.#options.changed();
  }

  /** Waits before the next attempt: longer after each failure. */
  #wait(): void {
    const { clock, random } = this.#ports;
    this.#failures += 1;
    const ms = backoffMs(this.#failures, random);
    this.#retryAt = clock.now() + ms;
    this.scope.after(ms, () => this.#connect());
    // The last thing, since a listener may end the wait.
    if (this.#failures === CLIENT_LIMITS.failuresUntold)
      this.#options.failing(failureError(this.#options.url, this.#failure));
  }

  #connect(): void {
    this.#end();
    this.#attempt += 1;
    const link = new Link(this.#ports.clock, this.limits.messageBytesMax);
    this.#link = link;
    // One deadline for everything up to welcome: token, socket, handshake.
    this.scope.after(CLIENT_LIMITS.connectMs, () => {
      if (this.state !== "connected") this.#lose({ reason: "connect_timeout" });
    });
    const { askToken, codec } = this.#options;
    const offers = [...new Set([codec.subprotocol, SUBPROTOCOL_JSON])];
    if (askToken) {
      askToken((token, words) => {
        if (token === null) this.#lose({ reason: "token_failed", words });
        else this.#openSocket(link, [...offers, BEARER_PREFIX + this.#ports.base64url(token)]);
      });
    } else {
      this.#openSocket(link, offers);
    }
    this.#options.changed();
  }

  #openSocket(link: Link, subprotocols: readonly string[]): void {
    const current = (listen: () => void): void => {
      if (this.#link === link) listen();
    };
    const events: SocketEvents = {
      opened: (subprotocol) => current(() => this.#opened(link, subprotocol)),
      received: (wire) => this.#received(link, wire),
      closed: (code, ...why) => current(() => this.#closed(link, code, ...why)),
    };
    try {
      link.socket = this.#ports.connect(this.#options.url, subprotocols, events);
    } catch (error) {
      // A page may not open every URL: that is shown, and tried again like the rest.
      this.#lose({ reason: "connect_failed", words: wordsOf(error) });
    }
  }

  #opened(link: Link, subprotocol: string): void {
    const { codec } = this.#options;
    this.codec = subprotocol === codec.subprotocol ? codec : jsonClientCodec;
    link.codec = this.codec;
    this.#generation += 1;
    this.say({
      type: "hello",
      session: this.#session,
      generation: this.#generation,
      client: { name: "tailwire-js", version: VERSION },
      ...(this.welcome && { publisher: this.welcome.client }),
    });
    this.#options.opened();
  }

  #closed(link: Link, code: number, reason: string, words?: string): void {
    const why = link.lastError ?? { reason: reasonOf(code, reason, link.isOpen), words };
    const blame = BLAMES[code];
    if (blame) this.#options.blamed(blame);
    if (verdictOf(code) === "reconnect" || this.#mayTryFreshToken(code)) return this.#lose(why);
    this.#failure = this.refusal = why;
    this.#end();
    this.#enter("refused");
  }

  /** A token may have expired on its way: one refusal is answered with a fresh one [AUTH-5]. */
  #mayTryFreshToken(code: number): boolean {
    if (code !== CLOSES.unauthenticated || !this.#options.askToken) return false;
    this.#refusals += 1;
    return this.#refusals === 1;
  }

  /** Drops a socket that nothing is expected of any more, if there is one left, and tries again. */
  #lose(failure: Failure): void {
    this.#drop("heartbeat_timeout");
    this.#failure = failure;
    // Unless the application has, when it heard that nobody waits for its token any more.
    if (!this.#link) this.#enter("lost");
  }

  /** Closes the socket from this side, without waiting for its answer. */
  #drop(name: keyof typeof CLOSES): void {
    const link = this.#link;
    if (name === "done") link?.flush();
    this.#end();
    link?.close(CLOSES[name], name);
  }

  /** Ends the attempt, the connection or the wait for one, and all that belongs to it. */
  #end(): void {
    const link = this.#link;
    // A short life counts as a failure.
    if (link && link.upMs >= CLIENT_LIMITS.stableMs) this.#failures = 0;
    link?.forget();
    this.#link = null;
    this.#ask = null;
    this.#retryAt = null;
    this.answers.clear();
    this.scope.end();
    if (link) this.#options.lost();
  }

  #received(link: Link, wire: Encoded): void {
    link.heardAt = this.#ports.clock.monotonic();
    // Nothing that is malformed can be acted on; the chain of offsets shows what it hid [DEL-2].
    for (const message of this.codec.readServerMessages(wire)) {
      // An older connection isn't heard [PUB-9]; a handler may have ended this one between two messages.
      if (this.#link !== link) return;
      this.#dispatch(link, message);
    }
  }

  #dispatch(link: Link, message: ServerMessage): void {
    const isAbroad = message.type === "error" && message.re === undefined;
    // Only what is said last explains a close.
    link.lastError = isAbroad ? { reason: message.code, words: message.description } : null;
    switch (message.type) {
      case "welcome":
        return this.#welcomed(link, message);
      case "ping":
        return this.say({ type: "pong", re: message.id });
      case "pong":
        return;
      case "ack":
      case "error":
        return this.#answered(message);
      default:
        this.#options.received(message);
    }
  }

  #answered(message: Ack | ErrorMessage): void {
    const { re = "" } = message;
    const answered = this.answers.get(re);
    this.answers.delete(re);
    answered?.(message.type === "ack" ? message : new TailwireError(message));
  }

  #welcomed(link: Link, welcome: Welcome): void {
    this.welcome = welcome;
    link.welcomed(welcome);
    this.#ask = watchSilence(
      this.scope,
      welcome.heartbeat,
      () => link.heardAt,
      () => this.say({ type: "ping" }),
      () => this.#lose({ reason: "silent" }),
    );
    this.#enter("welcome");
    this.#options.welcomed(welcome);
    link.flush();
  }
}
