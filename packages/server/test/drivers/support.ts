// Support that the real-socket tests share: a server on a loopback port, a broker that can be watched
// and held up, a wait for conditions, and a subscriber that writes down what it is told.
import { createServer, type Server as HttpServer, type ServerOptions } from "node:http";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import { type Client, createClient, type ClientOptions } from "@tailwire/client";
import { payloadText } from "@tailwire/protocol";
import { onTestFinished } from "vitest";
import type { Append, AppendResult, Broker, BrokerLog } from "../../src/log/broker.ts";
import { nodePorts } from "../../src/drivers/node-ports.ts";
import {
  createTailwire,
  DEFAULT_LIMITS,
  type Identification,
  type Limits,
  type Logger,
  MemoryBroker,
  type Retention,
  type TailwireOptions,
  type TailwireServer,
  type User,
} from "../../src/index.ts";

/** How long a condition may take before a test gives up with its name, in milliseconds. */
const PATIENCE_MS = 40_000;

/** Waits for a condition, a turn of the event loop at a time. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await turn();
  }
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Turns of the event loop, for things that must not happen. */
export async function turns(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await turn();
}

/** A memory broker whose appends are counted, and can be held up before or after they happen. */
class WatchedBroker implements Broker {
  readonly capabilities = { durable: false };
  /** Everything that is in a log, in order. */
  readonly appended: { readonly id: string; readonly event: string; readonly data: string }[] = [];
  /** Answers that named a publication which was there already. */
  duplicates = 0;
  /** Awaited before each append, and after it before its result is known. */
  before: () => Promise<void> = () => Promise.resolve();
  after: () => Promise<void> = () => Promise.resolve();
  readonly #broker: MemoryBroker;

  constructor(limits: Limits) {
    this.#broker = new MemoryBroker({ ...nodePorts, ...limits });
  }

  log(channel: string, retention: Retention): BrokerLog {
    const log = this.#broker.log(channel, retention);
    return { ...log, append: (batch) => this.#append(log, batch) };
  }

  onState(): void {
    // It is always up.
  }

  close(): Promise<void> {
    return this.#broker.close();
  }

  async #append(log: BrokerLog, batch: readonly Append[]): Promise<readonly AppendResult[]> {
    await this.before();
    const results = await log.append(batch);
    for (const [index, result] of results.entries()) {
      if (result.kind !== "appended") continue;
      const { id, event, data } = batch[index] as Append;
      if (result.duplicate) this.duplicates += 1;
      else this.appended.push({ id, event, data: payloadText(data) });
    }
    await this.after();
    return results;
  }
}

/** Collects what the server logs: warnings and errors, and how it closed connections. */
class CollectedLog implements Logger {
  readonly errors: { readonly fields: object; readonly message: string }[] = [];
  /** Names of the closes that the server began, in order. */
  readonly closes: string[] = [];
  debug = (fields: object): void => {
    if ("close" in fields) this.closes.push(fields.close as string);
  };
  info = (): void => undefined;
  warn = (fields: object, message: string): void => void this.errors.push({ fields, message });
  error = (fields: object, message: string): void => void this.errors.push({ fields, message });
}

/** Options that are passed on to `createTailwire` as they are. */
type Passed = Pick<
  TailwireOptions,
  | "allowedOrigins"
  | "tokenInQuery"
  | "codecs"
  | "clientAddress"
  | "channels"
  | "requests"
  | "onConnect"
>;

export interface ServeOptions extends Partial<Passed> {
  readonly identification?: Identification<User>;
  readonly limits?: Partial<Limits>;
  readonly retention?: Partial<Retention>;
  readonly http?: HttpServer;
  readonly httpOptions?: ServerOptions;
}

/** A server on a loopback port, closed with the test. */
export interface Served {
  readonly tailwire: TailwireServer;
  readonly http: HttpServer;
  readonly port: number;
  readonly url: string;
  readonly broker: WatchedBroker;
  readonly log: CollectedLog;
  /** The server's ends of the connections that are open now, in the order in which they came. */
  readonly sockets: Set<Socket>;
}

/** Serves channels `room:{id}`, to everybody unless told otherwise. */
export async function serve(options: ServeOptions = {}): Promise<Served> {
  const { identification, retention = {}, http: given, httpOptions = {}, ...passed } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const broker = new WatchedBroker(limits);
  const log = new CollectedLog();
  const tailwire = createTailwire({
    channels: { "room:{id}": { retention } },
    ...passed,
    ...(identification ?? { anonymous: true }),
    broker: () => broker,
    limits,
    logger: log,
  });
  const http = given ?? createServer(httpOptions);
  const sockets = collectSockets(http);
  tailwire.attach(http);
  const port = await listen(http);
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await tailwire.close();
  });
  const scheme = "setSecureContext" in http ? "wss" : "ws";
  const url = `${scheme}://127.0.0.1:${port}/tailwire`;
  return { tailwire, http, port, url, broker, log, sockets };
}

/** Listens on a loopback port, a free one where none is given, until the test ends. */
export async function listen(server: NetServer, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** The open connections of a server. */
export function collectSockets(server: NetServer): Set<Socket> {
  const sockets = new Set<Socket>();
  const event = "setSecureContext" in server ? "secureConnection" : "connection";
  server.on(event, (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  return sockets;
}

/** A client that never waits to reconnect, closed with the test. */
export function connect(url: string, options: ClientOptions = {}): Client {
  const client = createClient(url, options);
  client.onStatus(({ state, retryAt }) => {
    if (state === "reconnecting" && retryAt !== null) client.retryNow();
  });
  onTestFinished(() => {
    client.goOffline();
    return client.close();
  });
  return client;
}

type Subscription = ReturnType<ReturnType<Client["channel"]>["subscribe"]>;
type Gap = Parameters<Parameters<Subscription["onGap"]>[0]>[0];

/** A subscriber that writes down what it is told. */
export class Follower {
  readonly subscription: Subscription;
  readonly data: unknown[] = [];
  readonly ids: string[] = [];
  readonly gaps: Gap[] = [];
  /** Where offsets didn't follow one another, although no gap was told. */
  readonly holes: string[] = [];
  #offset: number | null = null;

  constructor(subscription: Subscription, event = "message") {
    this.subscription = subscription;
    subscription.on(event, ({ id, data, position: { offset } }) => {
      if (this.#offset !== null && offset !== this.#offset + 1) {
        this.holes.push(`${offset} after ${this.#offset}`);
      }
      this.#offset = offset;
      this.data.push(data);
      this.ids.push(id);
    });
    subscription.onGap((gap) => {
      this.gaps.push(gap);
      this.#offset = gap.continuesAfter.offset;
    });
  }

  /** Waits until so many publications have come. */
  async has(count: number): Promise<void> {
    await until(() => this.data.length >= count, `${count} publications`).catch(
      (error: unknown) => {
        throw new Error(`${this.data.length} of ${count} publications came`, { cause: error });
      },
    );
  }
}

/** 1 … n. */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index + 1);
}

/** A dice that always rolls the same: fractions from 0 up to 1, by mulberry32. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
