/**
 * The server as an application sees it: who may come in, which channels there are, and publishing.
 *
 * This file names Node's HTTP server; what happens on a connection is `node.ts`'s business.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Server as HttpServer } from "node:http";
import { channelName, type ParamArgs, type Position, tailwireError } from "@tailwire/protocol";
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
import { allCodecs, checkedOptions, type TailwireOptions } from "./options.ts";
import { SafeLogger } from "./drivers/safe-logger.ts";
import { Tickets } from "./access/tickets.ts";
import type { Tracer } from "./telemetry/traces.ts";

/** One channel, to publish to as the server. */
export interface ServerChannel {
  readonly name: string;
  /**
   * Adds a publication to the log, and resolves with where it stands there. Its data is bytes
   * (an ArrayBuffer or any view of one: a subscriber is given a Uint8Array), or a JSON value.
   *
   * @throws `invalid_data`, saying where, when a part of the data would arrive as something else: a
   * Map, NaN, bytes inside an object [ENC-12]; `indeterminate` when the broker's answer was lost;
   * `unavailable` when it certainly wasn't added; `closed` once the server is being closed.
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
   * @throws `forbidden` when nothing that is declared matches; `closed` once the server is being closed.
   */
  subscribe<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): void;
  /** Ends their subscriptions to a channel: their clients are told, with the code `removed`. */
  unsubscribe<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): void;
  /** Closes them, for good: their clients don't come back by themselves. */
  disconnect(): void;
  /**
   * Tells of every message on them from now on, those of later connections too, until it is taken
   * back. Tokens, secrets and payloads aren't shown.
   *
   * @throws `closed` once the server is being closed.
   */
  trace(tracer: Tracer): () => void;
}

/** A node's counts: of now, and since it began. */
export interface Stats extends Totals {
  readonly connections: number;
  readonly channels: number;
  readonly subscriptions: number;
}

export interface TailwireServer extends AsyncDisposable {
  /**
   * Takes WebSocket upgrades of one path, `/tailwire` by default. Other paths are left to other
   * listeners, and answered with 404 where there are none. Several servers share an HTTP server, each
   * with a path of its own, and one server takes several HTTP servers.
   *
   * @throws `closed` once it is being closed; RangeError for a path that no request has; Error when
   * the path is taken.
   */
  attach(httpServer: HttpServer, options?: { readonly path?: string | undefined }): this;
  /**
   * The channel of a pattern, to publish to as the server.
   *
   * @throws `bad_channel` when a param breaks the name's grammar, `forbidden` when nothing declared
   * matches.
   */
  channel<Pattern extends string>(pattern: Pattern, ...params: ParamArgs<Pattern>): ServerChannel;
  /** All connections of one user on this node. @throws TypeError when the id is no text. */
  user(id: string): UserConnections;
  /**
   * A ticket, which lets its holder in once, within `limits.ticketMs`, as `?ticket=`: for what can
   * set neither header nor subprotocol, so that no token stands in an address. Good on this node.
   * With `origin`, only a page from there may use it.
   *
   * @throws TypeError for what isn't `Authenticated`; RangeError for an origin that is none; `unavailable`
   * when too many tickets wait to be used; `closed` once the server is being closed.
   */
  ticket(authenticated: Authenticated, options?: { readonly origin?: string | undefined }): string;
  /** Connections now. */
  readonly connections: number;
  /** Counts of now, and since this node began: cheap enough for every second. */
  stats(): Stats;
  /**
   * Closes every connection, and resolves when the last one has gone. From the call on, what would begin
   * something anew is refused with `closed`; what `attach` added is taken back. `await using` does the same.
   */
  close(): Promise<void>;
}

/**
 * Makes a server. It listens to nothing until it is attached.
 *
 * @throws TypeError when there is neither `authenticate` nor `anonymous: true`, or an option is unknown or
 * of the wrong type.
 * @throws RangeError when a channel pattern is malformed, two of them match the same names, a limit makes
 * no sense, an origin is none, or two codecs have one subprotocol.
 */
export function createTailwire<U extends User = User>(options: TailwireOptions<U>): TailwireServer {
  return new NodeServer(checkedOptions(options));
}

class NodeServer<U extends User> implements TailwireServer {
  readonly #node: TailwireNode;
  readonly #tickets: Tickets;
  /** Options that all paths share. */
  readonly #upgrades: UpgradeOptions;
  /** Ends what was attached: refuses from now on, and then takes it back. */
  readonly #attached: { readonly upgrades: Upgrades; readonly detach: () => void }[] = [];
  #closing: Promise<void> | null = null;

  constructor(options: TailwireOptions<U>) {
    const limits = limitsOf(options.limits);
    const { tokenInQuery = true, codecs = [], authenticate, clientAddress } = options;
    this.#tickets = new Tickets(nodePorts.clock, nodePorts.random, limits);
    this.#node = new TailwireNode({
      ports: nodePorts,
      limits,
      broker: options.broker ?? new MemoryBroker({ ...nodePorts, ...limits }),
      rules: new ChannelRules(options.channels as Readonly<Record<string, ChannelOptions>>),
      application: applicationOf(options),
      logger: new SafeLogger(options.logger ?? {}, stderrLogger),
    });
    this.#upgrades = {
      node: this.#node,
      origins: new Origins(options.allowedOrigins ?? null),
      tokenInQuery,
      codecs: allCodecs(codecs),
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
    return {
      name,
      publish: async (event, data) => ({ position: await this.#node.publish(name, event, data) }),
    };
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
    const { connections, channels, subscriptions, counters } = this.#node;
    return { connections, channels, subscriptions, ...counters.totals };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    // Until the last one has gone, who comes is answered; others may take the path meanwhile.
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
 * The application's functions, as the node calls them. It hands them users that `authenticate`
 * gave it, so the type that the application knows them by is the right one.
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
