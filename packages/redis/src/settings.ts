/** The options of `redisBroker`, checked, and the settings of a connection that are made from them. */
import type { BrokerHost } from "@tailwire/server/broker-contract";
import type { RedisClientOptions } from "redis";

/** The settings that are taken over from a client of the `redis` package. */
type ClientSettings = Pick<
  RedisClientOptions,
  "url" | "socket" | "username" | "password" | "credentialsProvider" | "database"
>;

/** The options of {@link redisBroker}: an address, or a client that has one. */
export interface RedisBrokerOptions {
  /** `redis://user:password@host:6379/0`, or `rediss:` for TLS. */
  readonly url?: string | undefined;
  /**
   * A client made by `createClient` of the `redis` package, for settings that no URL has, such as a
   * certificate. Its settings are used, not its connection: it need not be connected, and isn't closed.
   */
  readonly client?: { readonly options: ClientSettings } | undefined;
  /** In front of every key and channel name in Redis: `tailwire` where left out. */
  readonly prefix?: string | undefined;
}

/** Settings of both connections. */
export interface Settings {
  readonly client: RedisClientOptions;
  readonly prefix: string;
  /** The address for messages, without a password. */
  readonly address: string;
}

const KNOWN: ReadonlySet<string> = new Set(["url", "client", "prefix"]);
const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_MAX_MS = 2_000;
/** A connection that has been silent for the second is dead: the first makes Redis speak. */
const PING_INTERVAL_MS = 2_000;
const SILENCE_MAX_MS = 8_000;

/** @throws TypeError in words for options that make no sense. */
export function checkOptions(options: RedisBrokerOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError('redisBroker takes an object, such as { url: "redis://localhost" }');
  }
  const unknown = Object.keys(options).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    throw new TypeError(`redisBroker has no "${unknown}". It takes ${[...KNOWN].join(", ")}`);
  }
  const { url, client, prefix = "tailwire" } = options;
  if ((url === undefined) === (client === undefined)) {
    throw new TypeError("redisBroker: give either a url, such as redis://localhost, or a client");
  }
  if (url !== undefined && !/^rediss?:\/\//.test(url)) {
    throw new TypeError("redisBroker: the url has to begin with redis:// or rediss://");
  }
  if (url !== undefined && !URL.canParse(url)) {
    throw new TypeError(
      "redisBroker: the url is malformed; a password in it has to be URL-encoded",
    );
  }
  if (url !== undefined && !/^\/?\d*$/.test(new URL(url).pathname)) {
    throw new TypeError("redisBroker: the url's path is a database's number, as in redis://host/0");
  }
  if (typeof client?.options !== "object" && client !== undefined) {
    throw new TypeError("redisBroker: client has to come from createClient of the redis package");
  }
  if (!/^[\w:.-]+$/.test(prefix)) {
    throw new TypeError("redisBroker: prefix takes letters, digits, and _ : . - only");
  }
}

export function settingsOf(options: RedisBrokerOptions, { random }: BrokerHost): Settings {
  const { url, socket, username, password, credentialsProvider, database } = options.client
    ?.options ?? { url: options.url };
  const given = { url, username, password, credentialsProvider, database };
  return {
    prefix: options.prefix ?? "tailwire",
    address: addressOf(url, socket),
    client: {
      ...(defined(given) as Partial<ClientSettings>),
      socket: {
        ...(socket as object),
        connectTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: SILENCE_MAX_MS,
        // Spread out: all nodes lose their broker at the same moment.
        reconnectStrategy: (retries) =>
          Math.min(RECONNECT_MAX_MS, 50 * 2 ** Math.min(retries, 10)) * (0.5 + random.fraction()),
      },
      pingInterval: PING_INTERVAL_MS,
      // Only the adapter may send anything again: it knows which appends bear it.
      disableOfflineQueue: true,
      maintNotifications: "disabled",
      // The deadline is the adapter's: one timer for each call would be another.
      commandOptions: { timeout: 0 },
    },
  };
}

function defined(values: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function addressOf(url: string | undefined, socket: ClientSettings["socket"]): string {
  if (url !== undefined) {
    const { hostname, port } = new URL(url);
    return `${hostname === "" ? "localhost" : hostname}:${port === "" ? "6379" : port}`;
  }
  const {
    host = "localhost",
    port = 6379,
    path,
  } = { ...socket } as Readonly<Partial<Record<"host" | "port" | "path", string>>>;
  return path ?? `${host}:${port}`;
}
