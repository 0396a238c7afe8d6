/**
 * The client's connection: it keeps one alive for as long as it is wanted, whatever happens.
 *
 * It makes sockets, says hello, answers pings, notices silence, waits and tries again. What is
 * said on it is its owner's business; this file knows no channel and no publication.
 */
import {
  BEARER_PREFIX,
  type Cancel,
  CLOSE_CODES,
  type CloseName,
  type Codec,
  jsonCodec,
  PROTOCOL_LIMITS,
  type ServerMessage,
  SUBPROTOCOL_JSON,
  verdictOf,
  type Welcome,
} from "@tailwire/protocol";
import { backoffMs } from "./backoff.ts";
import { firstBatch, type Line } from "./batches.ts";
import { type ConnectionEvent, type ConnectionState, nextState } from "./connection-states.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import type { Ports, Socket } from "./ports.ts";
import { watchSilence } from "./silence.ts";
import { VERSION } from "./version.ts";

export interface ConnectionOptions {
  readonly url: string;
  readonly ports: Ports;
  /** Gives the token to connect with; null where the server asks for none. */
  readonly getToken: (() => Promise<string>) | null;
  readonly owner: ConnectionOwner;
}

/** What the owner of a connection is told. */
interface ConnectionOwner {
  /** A socket is open and hello is on its way: say what is to go with it, by `send`. */
  opened(): void;
  welcomed(welcome: Welcome): void;
  /** A message that isn't the connection's own business. */
  received(message: ServerMessage): void;
  /** What was under way on the socket is lost, or may be. */
  lost(): void;
  /** State, attempt, retryAt or reason has changed. */
  changed(): void;
}

/** Reasons for closes that come without one. 1006 isn't sent: it says that nothing was. */
const WORDS: ReadonlyMap<number, string> = new Map([[1006, "connection_lost"]]);

/** One socket's life. A socket that isn't the current link any more is not listened to. */
interface Link {
  readonly socket: Socket;
  open: boolean;
  welcomedAt: number | null;
  heardAt: number;
  /** Bytes sent before welcome, which the server limits. */
  firstBytes: number;
  lastError: string | null;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #ports: Ports;
  readonly #codec: Codec = jsonCodec;
  /** The session's secret: it proves to every node that this is the same publisher. */
  readonly #session: string;
  readonly #idPrefix: string;
  #lastId = 0;
  #generation = 0;
  #state: ConnectionState = "idle";
  #link: Link | null = null;
  #waiting: Line[] = [];
  #flushing = false;
  #welcome: Welcome | null = null;
  #attempt = 0;
  /** Failures in a row, which the backoff counts. A short life counts as one. */
  #failures = 0;
  /** Tokens refused in a row. */
  #refusals = 0;
  #retryAt: number | null = null;
  #reason: string | null = null;
  #cancelRetry: Cancel | null = null;
  #cancelWatch: Cancel | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#ports = options.ports;
    this.#session = options.ports.random.token();
    this.#idPrefix = options.ports.random.token().slice(0, 10);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Attempts since the connection was last up; 0 while it is. */
  get attempt(): number {
    return this.#attempt;
  }

  /** When the next attempt is due, in Unix milliseconds; null when none is. */
  get retryAt(): number | null {
    return this.#retryAt;
  }

  get reason(): string | null {
    return this.#reason;
  }

  /** Whether messages can be sent: hello is said. */
  get isOpen(): boolean {
    return this.#link?.open ?? false;
  }

  /** The server's last welcome; null before the first. */
  get welcome(): Welcome | null {
    return this.#welcome;
  }

  /** A new id for a request: unique within the session [MSG-2]. */
  nextId(): string {
    this.#lastId += 1;
    return `${this.#idPrefix}.${this.#lastId}`;
  }

  /** Connects, if nobody asked for that before. */
  use(): void {
    if (this.#state === "idle") this.#enter("use");
  }

  /** Connects now, instead of waiting. */
  retryNow(): void {
    if (this.#retryAt !== null) this.#connect();
  }

  goOffline(): void {
    this.#enter("goOffline");
  }

  goOnline(): void {
    this.#enter("goOnline");
  }

  close(): void {
    this.#enter("close");
  }

  /** Sends a message, together with others of this moment. Only while {@link isOpen}. */
  send(line: string | Line): void {
    const fixed = (text: string): Line => ({ encode: () => text, onWrite: () => undefined });
    this.#waiting.push(typeof line === "string" ? fixed(line) : line);
    if (this.#flushing) return;
    this.#flushing = true;
    this.#ports.clock.soon(() => this.#flush());
  }

  // States

  #enter(event: ConnectionEvent): void {
    const from = this.#state;
    this.#state = nextState(from, event);
    if (this.#state === from && event !== "lost") return;
    switch (this.#state) {
      case "connecting":
        this.#connect();
        break;
      case "reconnecting":
        if (event === "lost") this.#waitToRetry();
        else this.#connect();
        break;
      case "connected":
        this.#attempt = 0;
        this.#refusals = 0;
        this.#reason = null;
        break;
      case "offline":
      case "closed":
        this.#stop();
        break;
      case "idle":
        break;
      default:
        this.#state satisfies never;
    }
    this.#options.owner.changed();
  }

  #stop(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#retryAt = null;
    this.#failures = 0;
    this.#drop("done");
  }

  #waitToRetry(): void {
    this.#failures += 1;
    const ms = backoffMs(this.#failures, this.#ports.random);
    this.#retryAt = this.#ports.clock.now() + ms;
    this.#cancelRetry?.();
    this.#cancelRetry = this.#ports.clock.after(ms, () => this.#connect());
  }

  // Connecting

  #connect(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#retryAt = null;
    this.#attempt += 1;
    // One deadline for everything up to welcome: token, socket, handshake.
    this.#cancelWatch = this.#ports.clock.after(CLIENT_LIMITS.connectMs, () =>
      this.#giveUp("connect_timeout"),
    );
    const { getToken } = this.#options;
    if (getToken === null) {
      this.#openSocket([SUBPROTOCOL_JSON]);
    } else {
      const attempt = this.#attempt;
      const stands = (): boolean =>
        this.#attempt === attempt && this.#link === null && isTrying(this.#state);
      getToken().then(
        (token) => {
          const offer = BEARER_PREFIX + this.#ports.base64url(token);
          if (stands()) this.#openSocket([SUBPROTOCOL_JSON, offer]);
        },
        () => {
          if (stands()) this.#lose("token_failed");
        },
      );
    }
    this.#options.owner.changed();
  }

  #openSocket(subprotocols: readonly string[]): void {
    const { clock } = this.#ports;
    // The socket's events belong to it alone: what an older one still says is not heard.
    const current = (listen: (link: Link) => void): void => {
      if (this.#link === link) listen(link);
    };
    const link: Link = {
      socket: this.#ports.connect(this.#options.url, subprotocols, {
        opened: () => current((own) => this.#opened(own)),
        received: (text) => current((own) => this.#received(own, text)),
        closed: (code, reason) => current((own) => this.#closed(own, code, reason)),
      }),
      open: false,
      welcomedAt: null,
      heardAt: clock.monotonic(),
      firstBytes: 0,
      lastError: null,
    };
    this.#link = link;
  }

  #opened(link: Link): void {
    link.open = true;
    this.#generation += 1;
    this.send(
      this.#codec.encode({
        type: "hello",
        id: this.nextId(),
        timestamp: this.#ports.clock.now(),
        session: this.#session,
        generation: this.#generation,
        client: { name: "tailwire-js", version: VERSION },
      }),
    );
    this.#options.owner.opened();
  }

  #closed(link: Link, code: number, reason: string): void {
    const why = link.lastError ?? (reason === "" ? (WORDS.get(code) ?? `closed_${code}`) : reason);
    if (verdictOf(code) === "reconnect" || this.#mayTryFreshToken(code)) return this.#lose(why);
    this.#reason = why;
    this.#forgetLink();
    this.#enter("refused");
  }

  /** A token may have expired on its way: one refusal is answered with a fresh one [AUTH-5]. */
  #mayTryFreshToken(code: number): boolean {
    if (code !== CLOSE_CODES.unauthenticated.code || this.#options.getToken === null) return false;
    this.#refusals += 1;
    return this.#refusals === 1;
  }

  /** Drops a socket that nothing is expected of any more, and tries again. */
  #giveUp(reason: string): void {
    this.#drop("heartbeat_timeout");
    this.#lose(reason);
  }

  #lose(reason: string): void {
    this.#reason = reason;
    this.#forgetLink();
    this.#enter("lost");
  }

  /** Closes the socket from this side, without waiting for its answer. */
  #drop(name: CloseName): void {
    const link = this.#link;
    if (link === null) return;
    if (name === "done") this.#flush();
    this.#forgetLink();
    link.socket.close(CLOSE_CODES[name].code, name);
  }

  #forgetLink(): void {
    const link = this.#link;
    const upMs = this.#ports.clock.monotonic() - (link?.welcomedAt ?? Infinity);
    if (upMs >= CLIENT_LIMITS.stableMs) this.#failures = 0;
    this.#link = null;
    this.#waiting = [];
    this.#cancelWatch?.();
    this.#cancelWatch = null;
    if (link !== null) this.#options.owner.lost();
  }

  // Talking

  #flush(): void {
    this.#flushing = false;
    const link = this.#link;
    if (link === null || !link.open) return;
    for (;;) {
      // Before welcome, what doesn't fit has to wait for it [CONN-4]. Afterwards a line that is too
      // large on its own goes out all the same: the server's answer is what its sender needs.
      const countMin = link.welcomedAt === null ? 0 : 1;
      const batch = firstBatch(this.#waiting, this.#bytesMax(link), countMin);
      if (batch === null) return;
      for (const line of this.#waiting.splice(0, batch.count)) line.onWrite();
      if (link.welcomedAt === null) link.firstBytes += batch.bytes;
      if (batch.text !== "") link.socket.send(batch.text);
    }
  }

  #bytesMax(link: Link): number {
    if (link.welcomedAt === null) return PROTOCOL_LIMITS.firstBytesMax - link.firstBytes;
    return this.#welcome?.limits.messageBytesMax ?? PROTOCOL_LIMITS.messageBytesMax;
  }

  #received(link: Link, text: string): void {
    link.heardAt = this.#ports.clock.monotonic();
    for (const decoded of this.#codec.decodeServerMessages(text)) {
      // A handler may have closed the client between two messages.
      if (this.#link !== link) return;
      // Nothing that is malformed can be acted on; the chain of offsets shows what it hid [DEL-2].
      if ("message" in decoded && decoded.message !== null) this.#take(link, decoded.message);
    }
  }

  #take(link: Link, message: ServerMessage): void {
    // Only what is said last explains a close.
    link.lastError = null;
    switch (message.type) {
      case "welcome":
        return this.#welcomed(link, message);
      case "ping":
        return this.#say({ type: "pong", re: message.id });
      case "pong":
        return;
      case "error":
        if (message.re === undefined) link.lastError = message.code;
        return this.#options.owner.received(message);
      default:
        return this.#options.owner.received(message);
    }
  }

  #welcomed(link: Link, welcome: Welcome): void {
    this.#welcome = welcome;
    link.welcomedAt = this.#ports.clock.monotonic();
    this.#cancelWatch?.();
    this.#cancelWatch = watchSilence({
      clock: this.#ports.clock,
      heartbeat: welcome.heartbeat,
      heardAt: () => link.heardAt,
      probe: () => this.#say({ type: "ping" }),
      onSilent: () => this.#giveUp("silent"),
    });
    this.#enter("welcome");
    this.#options.owner.welcomed(welcome);
    this.#flush();
  }

  #say(message: { readonly type: "ping" } | { readonly type: "pong"; readonly re: string }): void {
    const timestamp = this.#ports.clock.now();
    this.send(this.#codec.encode({ ...message, id: this.nextId(), timestamp }));
  }
}

function isTrying(state: ConnectionState): boolean {
  return state === "connecting" || state === "reconnecting";
}
