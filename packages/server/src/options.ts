/**
 * The options of `createTailwire`, and their check. `server.ts` uses them.
 *
 * Node's own types aren't named here.
 */
import { type Codec, jsonCodec, SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK } from "@tailwire/protocol";
import type {
  Authenticated,
  Authorize,
  ConnectionInfo,
  RequestHandler,
  User,
} from "./application.ts";
import type { Broker } from "./log/broker.ts";
import type { BrokerHost, OpenBroker } from "./log/broker-host.ts";
import type { ChannelOptions } from "./access/channel-rules.ts";
import {
  type Chosen,
  BOOLEAN,
  FUNCTION,
  givenOptions,
  isPlain,
  type Kind,
  type Kinds,
  listOf,
  OBJECT,
  TEXT,
  withMethods,
} from "./support/given-options.ts";
import type { Limits } from "./limits.ts";
import { inWords } from "./support/mistake.ts";
import type { Logger } from "./ports.ts";

/** The HTTP request that asks for a WebSocket. Node's `IncomingMessage` has this shape. */
export interface UpgradeRequest {
  /** Path and query. */
  readonly url?: string | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Decides who opens a connection; null refuses, and so do `undefined` and `false`. The call has a
 * deadline, `limits.hookMs`.
 *
 * `token` is the client's text, unchecked, or null when it sent none [AUTH-1] [AUTH-2]. For a fresh token
 * on a live connection `request` has no headers [AUTH-8].
 *
 * An error that it throws is `unavailable` to the client, which tries again later. So catch the error
 * that a library throws for a bad token, as those for JWTs do, and return null. A `TailwireError` is the
 * answer itself; one that is the client's fault and not to be retried refuses the token. Any other
 * result is a mistake: the connection is refused, and the log says why.
 */
export type Authenticate<U extends User> = (
  request: UpgradeRequest,
  token: string | null,
) => Authenticated<U> | null | Promise<Authenticated<U> | null>;

/** Either `authenticate` decides who may connect, or `anonymous: true` lets everybody in. */
export type Identification<U extends User> =
  // TypeScript names what the last one lacks: it must not be the one that lets everybody in.
  | { readonly anonymous: true; readonly authenticate?: undefined }
  | { readonly authenticate: Authenticate<U>; readonly anonymous?: undefined };

/** The options of `createTailwire`. */
export type TailwireOptions<U extends User = User> = Identification<U> & {
  /** The channels that exist, by pattern: `"lobby"`, or `"room:{id}"`. All others are forbidden. */
  readonly channels: Readonly<Record<string, ChannelOptions<U>>>;
  /**
   * Decides whether a user may do something. Called once per connection, channel and action, and again
   * after a fresh token [AUTH-11] [AUTH-12]. Without it, every user may do everything in declared
   * channels. The call has a deadline, `limits.hookMs`.
   */
  readonly authorize?: Authorize<U> | undefined;
  /** Handlers of `client.request(name, input)`, by name. The input is unchecked [REQ-1]. */
  readonly requests?: Readonly<Record<string, RequestHandler<U>>> | undefined;
  /** Called when a connection is open: right after `welcome`. Its error is logged. */
  readonly onConnect?: ((connection: ConnectionInfo<U>) => unknown) | undefined;
  /** Called when a connection has ended, if it had `welcome`. Its error is logged. */
  readonly onDisconnect?: ((connection: ConnectionInfo<U>) => unknown) | undefined;
  /** Opens the broker, which keeps the logs: by default a `MemoryBroker`. It is closed with the server. */
  readonly broker?: OpenBroker | undefined;
  /** Limits that differ from `DEFAULT_LIMITS`. */
  readonly limits?: Chosen<Limits> | undefined;
  /**
   * Origins of pages that may connect, such as `https://chat.example`, without wildcards [AUTH-6]. By
   * default pages of the server's own host; on loopback addresses their port may be another.
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Whether a token may come as `?token=`, for clients that can set neither header nor subprotocol
   * [AUTH-10]. True by default. Proxies log queries, so switch it off where no client needs it.
   */
  readonly tokenInQuery?: boolean | undefined;
  /** Codecs beside JSON: `msgpackCodec` of `@tailwire/protocol/msgpack`, or none [VER-6]. */
  readonly codecs?: readonly Codec[] | undefined;
  /**
   * The address of a connection's client, for `limits.newcomersPerAddressMax`. By default the socket's:
   * behind a proxy that is the proxy's own, so read the header that the proxy sets. Where it throws, or
   * gives no text, the connection is refused with `unavailable`.
   */
  readonly clientAddress?: ((request: UpgradeRequest) => string) | undefined;
  /** By default warnings and errors go to standard error. The same holds for methods that it lacks. */
  readonly logger?: Logger | undefined;
};

const TEXTS = listOf("texts", TEXT.fits);
const SUBPROTOCOLS: readonly unknown[] = [SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK];
const BROKER = withMethods("log", "onState", "close");
const CODEC = withMethods("encode", "join", "decodeServerMessages", "decodeClientMessages");
const HANDLERS: Kind = {
  words: "an object of functions, by name",
  fits: (value) => isPlain(value) && Object.values(value).every(FUNCTION.fits),
};

const OPTIONS: Kinds<TailwireOptions> = {
  authenticate: FUNCTION,
  anonymous: BOOLEAN,
  // `ChannelRules` checks them.
  channels: { words: "an object by pattern", fits: () => true },
  authorize: FUNCTION,
  requests: HANDLERS,
  onConnect: FUNCTION,
  onDisconnect: FUNCTION,
  broker: { ...FUNCTION, words: "a function that opens a broker" },
  limits: OBJECT,
  allowedOrigins: TEXTS,
  tokenInQuery: BOOLEAN,
  codecs: listOf("codecs", isCodec),
  clientAddress: FUNCTION,
  // `SafeLogger` stands in for methods that it lacks.
  logger: { words: "an object with error and warn", fits: (value) => typeof value === "object" },
};

/**
 * The options of `createTailwire`.
 *
 * @throws TypeError when one is unknown or of the wrong type, or there is neither `authenticate` nor
 * `anonymous: true`, or both.
 */
export function checkedOptions<U extends User>(options: TailwireOptions<U>): TailwireOptions<U> {
  const given = givenOptions<TailwireOptions<U>>("createTailwire", options, OPTIONS);
  const { authenticate, anonymous = false } = given;
  if (authenticate === undefined && !anonymous) {
    throw new TypeError(
      "missing_authenticate: give authenticate, or anonymous: true to let everybody in",
    );
  }
  if (authenticate !== undefined && anonymous) {
    throw new TypeError("createTailwire takes authenticate or anonymous: true, not both");
  }
  return given as TailwireOptions<U>;
}

/** The broker that the application opens. @throws TypeError when it opens none; the application's error. */
export function openedBroker(open: OpenBroker, host: BrokerHost): Broker {
  const broker: unknown = open(host);
  if (BROKER.fits(broker)) return broker as Broker;
  // One that comes later is nobody's, and its rejection neither.
  Promise.resolve(broker).then(undefined, () => undefined);
  throw new TypeError(`createTailwire.broker opened ${inWords(broker)}, expected ${BROKER.words}`);
}

function isCodec(value: unknown): boolean {
  return CODEC.fits(value) && SUBPROTOCOLS.includes((value as Partial<Codec>).subprotocol);
}

/** The JSON codec and the given ones. @throws RangeError when two have the same subprotocol. */
export function allCodecs(codecs: readonly Codec[]): readonly Codec[] {
  const all = [jsonCodec, ...codecs];
  for (const [index, { subprotocol }] of all.entries()) {
    if (!all.slice(0, index).some((other) => other.subprotocol === subprotocol)) continue;
    throw new RangeError(`codecs has two for ${subprotocol}. JSON's is there without being named`);
  }
  return all;
}
