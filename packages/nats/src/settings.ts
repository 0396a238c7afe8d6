/** The options of the NATS broker, checked. */
import { credsAuthenticator, type NatsConnection } from "@nats-io/transport-node";
import type { NodeConnectionOptions } from "@nats-io/transport-node";
import { addressesOf } from "./addresses.ts";

/** How the broker shows who it is: by name and password, by a token, or by the text of a `.creds` file. */
export type NatsCredentials =
  | { readonly user: string; readonly pass: string }
  | { readonly token: string }
  | { readonly creds: string };

/** The options of {@link natsBroker}: `servers`, or a `connection`. */
export interface NatsBrokerOptions {
  /**
   * Addresses of one NATS server or one cluster: `nats://localhost:4222`, `nats://user:password@host`, or
   * `nats://token@host`. With `tls://` a server without TLS is refused.
   */
  readonly servers?: string | readonly string[] | undefined;
  /** In place of those in an address. */
  readonly credentials?: NatsCredentials | undefined;
  /** A connection of the application's own, in place of `servers`. The broker doesn't close it. */
  readonly connection?: NatsConnection | undefined;
  /** The stream's name, and the first token of its subjects. By default `tw`. */
  readonly stream?: string | undefined;
  /** Copies of the stream, when the broker makes it. By default 3 in a cluster, and 1 elsewhere. */
  readonly replicas?: number | undefined;
}

/** The options as the broker uses them. */
export interface Settings {
  /** Opens a connection, or gives the application's. */
  readonly connect: NodeConnectionOptions | NatsConnection;
  /** For people: the place where NATS is looked for. */
  readonly where: string;
  readonly stream: string;
  readonly replicas: number | null;
}

const NAMES: ReadonlySet<string> = new Set<keyof NatsBrokerOptions>([
  "servers",
  "credentials",
  "connection",
  "stream",
  "replicas",
]);

/** @throws TypeError for options that aren't what {@link NatsBrokerOptions} says. */
export function settingsOf(options: NatsBrokerOptions): Settings {
  if (typeof options !== "object" || options === null) {
    throw new TypeError('natsBroker takes an object, such as { servers: "nats://localhost:4222" }');
  }
  const stranger = Object.keys(options).find((name) => !NAMES.has(name));
  if (stranger !== undefined) {
    throw new TypeError(`natsBroker has no "${stranger}". It takes ${[...NAMES].join(", ")}`);
  }
  const { servers, credentials, connection, stream = "tw", replicas = null } = options;
  if ((servers === undefined) === (connection === undefined)) {
    throw new TypeError("natsBroker takes servers, or a connection in their place");
  }
  if (connection !== undefined && credentials !== undefined) {
    throw new TypeError("natsBroker.credentials: a connection has its own");
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(stream)) {
    throw new TypeError("natsBroker.stream: 1 to 64 letters, digits, _ and -");
  }
  if (replicas !== null && ![1, 3, 5].includes(replicas)) {
    throw new TypeError("natsBroker.replicas: 1, 3 or 5");
  }
  if (connection !== undefined) {
    return { connect: connection, where: connection.getServer(), stream, replicas };
  }
  const addresses = addressesOf(servers);
  if (credentials !== undefined && addresses.credentials !== undefined) {
    throw new TypeError("natsBroker.credentials: the address has its own");
  }
  return {
    connect: {
      servers: [...addresses.servers],
      ...(addresses.isTls ? { tls: {} } : {}),
      ...RECONNECTING,
      ...authentication(credentials ?? addresses.credentials),
    },
    where: addresses.servers.join(", "),
    stream,
    replicas,
  };
}

/** A dead link is noticed within ten seconds, and NATS is tried again for ever. */
const RECONNECTING = {
  name: "tailwire",
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  reconnectJitter: 250,
  pingInterval: 5_000,
  maxPingOut: 1,
  timeout: 5_000,
  noAsyncTraces: true,
};

function authentication(credentials: NatsCredentials | undefined): Partial<NodeConnectionOptions> {
  if (credentials === undefined) return {};
  if (!("creds" in credentials)) return credentials;
  return { authenticator: credsAuthenticator(new TextEncoder().encode(credentials.creds)) };
}
