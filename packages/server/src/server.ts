/**
 * The server as an application sees it: `createTailwire`, and the methods of its result.
 *
 * This file names Node's HTTP server; `node.ts` carries out the rest without it.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Server as HttpServer } from "node:http";
import { channelName, type ParamArgs, tailwireError } from "@tailwire/protocol";
import type { Application, Authenticated, Authorize, RequestHandler, User } from "./application.ts";
import { MemoryBroker } from "./brokers/memory.ts";
import { type ChannelOptions, ChannelRules } from "./access/channel-rules.ts";
import type { Totals } from "./telemetry/counters.ts";
import { attach, pathToAttach } from "./drivers/attachments.ts";
import { nodePorts } from "./drivers/node-ports.ts";
import { originOfTicket, Origins } from "./drivers/origins.ts";
import { stderrLogger } from "./drivers/stderr-logger.ts";
import { type UpgradeOptions, Upgrades } from "./drivers/upgrade.ts";
import { limitsOf } from "./limits.ts";
import { inWords } from "./support/mistake.ts";
import { Newcomers } from "./access/newcomers.ts";
import { TailwireNode } from "./node.ts";
import type { OpenBroker } from "./log/broker-host.ts";
import { allCodecs, checkedOptions, openedBroker, type TailwireOptions } from "./options.ts";
import { SafeLogger } from "./drivers/safe-logger.ts";
import { type ServerChannel, serverChannel } from "./server-channel.ts";
import { Tickets } from "./access/tickets.ts";
import type { Tracer } from "./telemetry/traces.ts";

/** The connections of one user on this node. Other nodes aren't told. */
export interface UserConnections {
  /**
   * Subscribes the connections of this moment to a channel, from `"latest"`, without asking `authorize`
   * [SUB-10]. Their clients call `onSubscribed`. One that has `limits.subscriptionsMax` is left out. After
   * a reconnect the client subscribes by itself, which `authorize` decides.
   *
   * @throws `bad_channel` when a param breaks the name's grammar; `forbidden` when no declared pattern
   * matches; `closed` once the server is being closed.
   */
  subscribe<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): void;
  /** Ends the subscriptions to a channel, with the code `removed` [SUB-9]. @throws `bad_channel`. */
  unsubscribe<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): void;
  /** Closes the connections with 4504, which is final: their clients don't reconnect [CLOSE-1]. */
  disconnect(): void;
  /**
   * Calls the tracer with every message from now on, also on later connections, until the returned
   * function is called. Entries never have tokens, secrets or payloads.
   *
   * @throws TypeError when the tracer is no function; `closed` once the server is being closed.
   */
  trace(tracer: Tracer): () => void;
}

/** A node's state and numbers of this moment, and totals since it began. */
export interface Stats extends Totals {
  /**
   * Whether the broker can be reached. While it is down, publications are refused as `unavailable` and
   * subscribers wait, so a load balancer may send new connections to other nodes.
   */
  readonly broker: "up" | "down";
  readonly connections: number;
  readonly channels: number;
  readonly subscriptions: number;
}

/** A node. It is made by `createTailwire`. */
export interface TailwireServer extends AsyncDisposable {
  /**
   * Answers the WebSocket upgrades of one path, `/tailwire` by default. Other paths are left to other
   * listeners, or answered with 404 where none exists. Several servers can share an HTTP server, each
   * with a path of its own, and one server can be attached to several.
   *
   * @throws `closed` once the server is being closed; RangeError for a path that no request can have;
   * Error when the path is taken.
   */
  attach(httpServer: HttpServer, options?: { readonly path?: string | undefined }): this;
  /**
   * The channel of a pattern and its params, or of a name.
   *
   * @throws `bad_channel` when a param breaks the name's grammar; `forbidden` when no declared pattern
   * matches.
   */
  channel<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): ServerChannel;
  /** The connections of a user, by `User.id`, now and later. @throws TypeError when the id is no text. */
  user(id: string): UserConnections;
  /**
   * Issues a ticket: a text that lets its holder connect once, within `limits.ticketMs`, to this node, as
   * `?ticket=` [AUTH-13]. It keeps tokens out of addresses, for clients that can set neither header nor
   * subprotocol. With `origin`, only a page of that origin may use it.
   *
   * @throws TypeError when the first argument isn't `Authenticated`; RangeError for a malformed origin;
   * `unavailable` when `limits.ticketsMax` wait to be used; `closed` once the server is being closed.
   */
  ticket(authenticated: Authenticated, options?: { readonly origin?: string | undefined }): string;
  /** Connections now, including those that haven't said hello. */
  readonly connections: number;
  /** The node's numbers. Cheap enough to be read every second. */
  stats(): Stats;
  /**
   * Closes every connection with 1012 [CLOSE-5], then the broker, and resolves when all have ended. From
   * the call on, methods that would begin something throw `closed`, and upgrades are answered with 503.
   * `await using` calls it.
   */
  close(): Promise<void>;
}

/**
 * Makes a server. It accepts no connection until it is attached.
 *
 * @throws TypeError when `authenticate` and `anonymous: true` are both missing or both there, or an option
 * is unknown or of the wrong type.
 * @throws RangeError when a channel pattern is malformed, two of them match the same names, a limit is
 * out of its range, `dedupeMs` too short for the others, an origin malformed, or two codecs have the same
 * subprotocol.
 */
export function createTailwire<U extends User = User>(options: TailwireOptions<U>): TailwireServer {
  return new NodeServer(checkedOptions(options));
}

const inMemory: OpenBroker = (host) => new MemoryBroker(host);

class NodeServer<U extends User> implements TailwireServer {
  readonly #node: TailwireNode;
  readonly #tickets: Tickets;
  /** Options that all paths share. */
  readonly #upgrades: UpgradeOptions;
  /** By HTTP server: `upgrades` refuses upgrades once closed, `detach` removes the listener. */
  readonly #attached: { readonly upgrades: Upgrades; readonly detach: () => void }[] = [];
  #closing: Promise<void> | null = null;

  constructor(options: TailwireOptions<U>) {
    const limits = limitsOf(options.limits);
    const { tokenInQuery = true, codecs = [], authenticate, clientAddress } = options;
    this.#tickets = new Tickets(nodePorts.clock, nodePorts.random, limits);
    const logger = new SafeLogger(options.logger ?? {}, stderrLogger);
    const rules = new ChannelRules(options.channels as Readonly<Record<string, ChannelOptions>>);
    const origins = new Origins(options.allowedOrigins ?? null);
    const known = allCodecs(codecs);
    // Opened last: one that was opened for a server that isn't made would never be closed.
    const broker = openedBroker(options.broker ?? inMemory, { ...nodePorts, ...limits, logger });
    const application = applicationOf(options);
    this.#node = new TailwireNode({
      ports: nodePorts,
      limits,
      broker,
      rules,
      application,
      logger,
    });
    this.#upgrades = {
      node: this.#node,
      origins,
      tokenInQuery,
      codecs: known,
      tickets: this.#tickets,
      newcomers: new Newcomers(limits.newcomersPerAddressMax),
      clientAddress: clientAddress ?? null,
      authenticate: authenticate ?? null,
    };
  }

  get connections(): number {
    return this.#node.connections;
  }

  attach(httpServer: HttpServer, options: { readonly path?: string | undefined } = {}): this {
    this.#node.requireOpen();
    const path = pathToAttach(httpServer, options);
    const upgrades = new Upgrades(this.#upgrades);
    this.#attached.push({ upgrades, detach: attach(httpServer, path, upgrades) });
    return this;
  }

  channel<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): ServerChannel {
    const name = nameOf(pattern, params[0]);
    if (this.#node.rules.find(name) === null) throw tailwireError("forbidden", name);
    return serverChannel(this.#node, name);
  }

  user(id: string): UserConnections {
    if (typeof id !== "string")
      throw new TypeError(`user: the id is ${inWords(id)}, expected text`);
    const node = this.#node;
    return {
      subscribe: (pattern, ...params) => {
        node.requireOpen();
        node.subscribe(id, nameOf(pattern, params[0]));
      },
      unsubscribe: (pattern, ...params) => node.unsubscribe(id, nameOf(pattern, params[0])),
      disconnect: () => node.disconnect(id),
      trace: (tracer) => {
        node.requireOpen();
        if (typeof tracer === "function") return node.traces.add(id, tracer);
        throw new TypeError(`trace: the tracer is ${inWords(tracer)}, expected a function`);
      },
    };
  }

  ticket(
    authenticated: Authenticated,
    options: { readonly origin?: string | undefined } = {},
  ): string {
    this.#node.requireOpen();
    return this.#tickets.issue(authenticated, originOfTicket(options));
  }

  stats(): Stats {
    const { link, connections, channels, subscriptions, counters } = this.#node;
    return { broker: link.state, connections, channels, subscriptions, ...counters.totals };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    // Detach last: until then upgrades are answered with 503. Another server may take the path already.
    for (const { upgrades } of this.#attached) upgrades.close();
    await this.#node.close();
    for (const { detach } of this.#attached.splice(0)) detach();
  }
}

const nothing = (): void => undefined;

/** @throws `bad_channel`. */
function nameOf(pattern: string, params?: Readonly<Record<string, string>>): string {
  if (typeof pattern === "string") return channelName(pattern, params ?? {});
  throw tailwireError("bad_channel", `the name is ${inWords(pattern)}, expected text`);
}

/**
 * The application's hooks, as the node calls them. Every user that they get came from `authenticate`, so
 * casting away `U` is safe.
 */
function applicationOf<U extends User>(options: TailwireOptions<U>): Application {
  const { authenticate, authorize, requests = {}, onConnect, onDisconnect } = options;
  return {
    authorize: (authorize ?? null) as Authorize | null,
    requests: new Map(Object.entries(requests as Readonly<Record<string, RequestHandler>>)),
    authenticate: async (token) => (await authenticate?.({ headers: {} }, token)) ?? null,
    onConnect: (onConnect ?? nothing) as Application["onConnect"],
    onDisconnect: (onDisconnect ?? nothing) as Application["onDisconnect"],
  };
}
