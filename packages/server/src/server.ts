/**
 * The server as an application sees it: who may come in, which channels there are, and publishing.
 *
 * This file names Node's HTTP server; what happens on a connection is `node.ts`'s business.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Socket } from "node:net";
import {
  channelName,
  type Codec,
  jsonCodec,
  type ParamArgs,
  type Position,
  tailwireError,
} from "@tailwire/protocol";
import type { Authenticated, Authorize, User } from "./access.ts";
import type { Application, ConnectionInfo, RequestHandler } from "./application.ts";
import type { Broker } from "./brokers/contract.ts";
import { MemoryBroker } from "./brokers/memory.ts";
import { type ChannelOptions, ChannelRules } from "./channel-rules.ts";
import type { Totals } from "./counters.ts";
import { nodePorts } from "./drivers/node-ports.ts";
import { stderrLogger } from "./drivers/stderr-logger.ts";
import { answerPlainRequest } from "./drivers/plain-requests.ts";
import { refuseUnknownPath, Upgrades } from "./drivers/upgrade.ts";
import { type Limits, limitsOf } from "./limits.ts";
import { Newcomers } from "./newcomers.ts";
import { TailwireNode } from "./node.ts";
import type { Logger } from "./ports.ts";
import { Tickets } from "./tickets.ts";
import type { Tracer } from "./traces.ts";

/** The HTTP request that asks for a WebSocket. Node's `IncomingMessage` has this shape. */
export interface UpgradeRequest {
  /** Path and query. */
  readonly url?: string | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Says who opens a connection; null refuses. It has a deadline, `limits.hookMs`; past that, and
 * when it throws, the client is told `unavailable`.
 *
 * `token` is whatever the client sent, and null when it sent none: check it. On a live connection,
 * where the client brings a fresh token, `request` has no headers.
 */
export type Authenticate<U extends User> = (
  request: UpgradeRequest,
  token: string | null,
) => Authenticated<U> | null | Promise<Authenticated<U> | null>;

/** Either somebody is asked who comes, or it is said aloud that everybody may. */
export type Identification<U extends User> =
  | { readonly authenticate: Authenticate<U>; readonly anonymous?: never }
  | { readonly authenticate?: never; readonly anonymous: true };

export type TailwireOptions<U extends User = User> = Identification<U> & {
  /** The channels that exist, by pattern: `"lobby"`, or `"room:{id}"`. All others are forbidden. */
  readonly channels: Readonly<Record<string, ChannelOptions<U>>>;
  /**
   * Says whether a user may do something. Asked once per connection, channel and action, and again
   * when the client brings a fresh token. Without it, declared channels are open to everybody who
   * is authenticated. It has a deadline, `limits.hookMs`.
   */
  readonly authorize?: Authorize<U>;
  /** Answers `client.request(name, input)`. Check the input: it is whatever the client sent. */
  readonly requests?: Readonly<Record<string, RequestHandler<U>>>;
  /** A connection is there: its client is welcome. */
  readonly onConnect?: (connection: ConnectionInfo<U>) => void;
  /** A connection has gone, whoever ended it. */
  readonly onDisconnect?: (connection: ConnectionInfo<U>) => void;
  /** Where logs are kept. In memory where this is left out. It is closed with the server. */
  readonly broker?: Broker;
  /** Each has a default, with its reason, in `limits.ts`. */
  readonly limits?: Partial<Limits>;
  /**
   * Pages that may connect, such as `https://chat.example`. The page's own host where this is
   * left out, and any port of this machine's while developing on it.
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * Whether a token may come as `?token=`, for what can set neither header nor subprotocol. True
   * where this is left out. Proxies log queries: switch it off where nobody needs it.
   */
  readonly tokenInQuery?: boolean;
  /** What is spoken beside JSON: `msgpackCodec` of `@tailwire/protocol/msgpack`, or nothing. */
  readonly codecs?: readonly Codec[];
  /**
   * The address that a connection comes from, for the limits per address. Where a proxy stands
   * before, say what it says: `limits.newcomersPerAddressMax` counts the proxy's own otherwise.
   */
  readonly clientAddress?: (request: UpgradeRequest) => string;
  /** Errors on standard error where this is left out. */
  readonly logger?: Logger;
};

/** One channel, to publish to as the server. */
export interface ServerChannel {
  readonly name: string;
  /**
   * Adds a publication to the log, and resolves with where it stands there. Its data is bytes
   * (an ArrayBuffer or any view of one: a subscriber is given a Uint8Array), or a JSON value.
   *
   * @throws `invalid_data`, saying where, when a part of the data would arrive as something else: a
   * Map, NaN, bytes inside an object [ENC-12]; `indeterminate` when the broker's answer was lost;
   * `unavailable` when it certainly wasn't added.
   */
  publish(event: string, data: unknown): Promise<{ readonly position: Position }>;
}

/** All connections that one user has on this node. */
export interface UserConnections {
  /**
   * Subscribes those that there are now, from what is published from now on; their clients are told
   * (`client.onSubscribed`). When they reconnect they ask for it themselves, and `authorize` is
   * asked then.
   *
   * @throws `forbidden` when nothing that is declared matches.
   */
  subscribe<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): void;
  /** Ends their subscriptions to a channel: their clients are told, with the code `removed`. */
  unsubscribe<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): void;
  /** Closes them, for good: their clients don't come back by themselves. */
  disconnect(): void;
  /**
   * Tells of every message on them from now on, those of later connections too, until it is taken
   * back. Tokens, secrets and payloads aren't shown.
   */
  trace(tracer: Tracer): () => void;
}

/** What a node has now, and has done since it began. */
export interface Stats extends Totals {
  readonly connections: number;
  readonly channels: number;
  readonly subscriptions: number;
}

export interface TailwireServer extends AsyncDisposable {
  /**
   * Takes WebSocket upgrades of one path, `/tailwire` by default. Other paths are left to other
   * listeners, and answered with 404 where there are none.
   *
   * @throws `closed` after `close()`.
   */
  attach(httpServer: HttpServer, options?: { readonly path?: string }): this;
  /**
   * The channel of a pattern, to publish to as the server.
   *
   * @throws `bad_channel` when a param breaks the name's grammar, `forbidden` when nothing declared
   * matches.
   */
  channel<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): ServerChannel;
  /** All connections of one user on this node. */
  user(id: string): UserConnections;
  /**
   * A ticket, which lets its holder in once, within `limits.ticketMs`, as `?ticket=`: for what can
   * set neither header nor subprotocol, so that no token stands in an address. Good on this node.
   * With `origin`, only a page from there may use it.
   *
   * @throws `unavailable` when too many tickets wait to be used.
   */
  ticket(authenticated: Authenticated, options?: { readonly origin?: string }): string;
  /** Connections now. */
  readonly connections: number;
  /** What there is now, and what was done since this node began: cheap enough for every second. */
  stats(): Stats;
  /** Closes every connection, and resolves when the last one has gone. `await using` does the same. */
  close(): Promise<void>;
}

/**
 * Makes a server. It listens to nothing until it is attached.
 *
 * @throws TypeError when there is neither `authenticate` nor `anonymous: true`.
 * @throws RangeError when a channel pattern is malformed, two of them match the same names, or a
 * limit makes no sense.
 */
export function createTailwire<U extends User = User>(options: TailwireOptions<U>): TailwireServer {
  if (options.authenticate === undefined && !options.anonymous) {
    throw new TypeError(
      "missing_authenticate: give authenticate, or anonymous: true to let everybody in",
    );
  }
  return new NodeServer(options);
}

class NodeServer<U extends User> implements TailwireServer {
  readonly #options: TailwireOptions<U>;
  readonly #node: TailwireNode;
  readonly #tickets: Tickets;
  readonly #newcomers: Newcomers;
  /** What to do so that nothing new comes in. */
  readonly #detach: (() => void)[] = [];
  #closing: Promise<void> | null = null;

  constructor(options: TailwireOptions<U>) {
    this.#options = options;
    const limits = limitsOf(options.limits);
    this.#tickets = new Tickets(nodePorts.clock, nodePorts.random, limits);
    this.#newcomers = new Newcomers(limits.newcomersPerAddressMax);
    this.#node = new TailwireNode({
      ports: nodePorts,
      limits,
      broker: options.broker ?? new MemoryBroker({ ...nodePorts, ...limits }),
      rules: new ChannelRules(options.channels as Readonly<Record<string, ChannelOptions>>),
      application: applicationOf(options),
      logger: options.logger ?? stderrLogger,
    });
  }

  get connections(): number {
    return this.#node.connections;
  }

  attach(httpServer: HttpServer, { path = "/tailwire" }: { readonly path?: string } = {}): this {
    if (this.#closing !== null) throw tailwireError("closed");
    const { authenticate, allowedOrigins, tokenInQuery = true } = this.#options;
    const { codecs = [], clientAddress } = this.#options;
    const upgrades = new Upgrades({
      node: this.#node,
      path,
      allowedOrigins: allowedOrigins ?? null,
      tokenInQuery,
      codecs: [jsonCodec, ...codecs],
      tickets: this.#tickets,
      newcomers: this.#newcomers,
      addressOf: (request) =>
        clientAddress === undefined ? (request.socket.remoteAddress ?? "") : clientAddress(request),
      authenticate:
        authenticate === undefined ? null : async (request, token) => authenticate(request, token),
    });
    const onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
      if (upgrades.take(request, socket, head)) return;
      // With others listening, the path may be theirs.
      if (httpServer.listenerCount("upgrade") === 1) refuseUnknownPath(socket, this.#node);
    };
    httpServer.on("upgrade", onUpgrade);
    httpServer.on("request", (request, response) => {
      // With another listener the answer is its; without one the request would hang.
      if (httpServer.listenerCount("request") === 1) answerPlainRequest(request, response, path);
    });
    this.#detach.push(() => upgrades.close());
    return this;
  }

  channel<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): ServerChannel {
    const name = channelName(pattern, params[0] ?? {});
    if (this.#node.rules.find(name) === null) throw tailwireError("forbidden", name);
    return {
      name,
      publish: async (event, data) => ({ position: await this.#node.publish(name, event, data) }),
    };
  }

  user(id: string): UserConnections {
    const node = this.#node;
    return {
      subscribe: (pattern, ...params) => node.subscribe(id, channelName(pattern, params[0] ?? {})),
      unsubscribe: (pattern, ...params) =>
        node.unsubscribe(id, channelName(pattern, params[0] ?? {})),
      disconnect: () => node.disconnect(id),
      trace: (tracer) => node.traces.add(id, tracer),
    };
  }

  ticket(authenticated: Authenticated, { origin }: { readonly origin?: string } = {}): string {
    return this.#tickets.issue(authenticated, origin ?? null);
  }

  stats(): Stats {
    const { connections, channels, subscriptions, counters } = this.#node;
    return { connections, channels, subscriptions, ...counters.totals };
  }

  close(): Promise<void> {
    for (const detach of this.#detach) detach();
    this.#closing ??= this.#node.close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const nothing = (): void => undefined;

/**
 * The application's functions, as the node calls them. It hands them users that `authenticate`
 * gave it, so the type that the application knows them by is the right one.
 */
function applicationOf<U extends User>(options: TailwireOptions<U>): Application {
  const { authenticate, authorize, requests = {}, onConnect, onDisconnect } = options;
  const request = { headers: {} };
  return {
    authorize: (authorize ?? null) as Authorize | null,
    requests: new Map(Object.entries(requests as Readonly<Record<string, RequestHandler>>)),
    authenticate: async (token) => (await authenticate?.(request, token)) ?? null,
    onConnect: (onConnect ?? nothing) as Application["onConnect"],
    onDisconnect: (onDisconnect ?? nothing) as Application["onDisconnect"],
  };
}
