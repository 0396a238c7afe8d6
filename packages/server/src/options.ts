/**
 * The options of `createTailwire`: what each means, and what it takes, which is checked when it is given.
 *
 * Node's own types aren't named here; what becomes of the options is `server.ts`'s business.
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
import type { Logger } from "./ports.ts";

/** The HTTP request that asks for a WebSocket. Node's `IncomingMessage` has this shape. */
export interface UpgradeRequest {
  /** Path and query. */
  readonly url?: string | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Says who opens a connection; null refuses, and so do `undefined` and `false`. It has a deadline,
 * `limits.hookMs`.
 *
 * `token` is whatever the client sent, and null when it sent none: check it. On a live connection,
 * where the client brings a fresh token, `request` has no headers.
 *
 * Where it throws, the client is told `unavailable`, and tries again later: so catch what a library throws
 * for a bad token, as those for JWTs do, and return null. A `TailwireError` that it throws is told as it is;
 * one that is the client's fault and not to be retried refuses the token. Whatever else it gives is a
 * mistake: nobody is let in, and the log says what was wrong.
 */
export type Authenticate<U extends User> = (
  request: UpgradeRequest,
  token: string | null,
) => Authenticated<U> | null | Promise<Authenticated<U> | null>;

/** Either somebody is asked who comes, or it is said aloud that everybody may. */
export type Identification<U extends User> =
  | { readonly anonymous: true; readonly authenticate?: undefined }
  | { readonly authenticate: Authenticate<U>; readonly anonymous?: undefined };

export type TailwireOptions<U extends User = User> = Identification<U> & {
  /** The channels that exist, by pattern: `"lobby"`, or `"room:{id}"`. All others are forbidden. */
  readonly channels: Readonly<Record<string, ChannelOptions<U>>>;
  /**
   * Says whether a user may do something. Asked once per connection, channel and action, and again
   * when the client brings a fresh token. Without it, declared channels are open to everybody who
   * is authenticated. It has a deadline, `limits.hookMs`.
   */
  readonly authorize?: Authorize<U> | undefined;
  /** Answers `client.request(name, input)`. Check the input: it is whatever the client sent. */
  readonly requests?: Readonly<Record<string, RequestHandler<U>>> | undefined;
  /** A connection is there: its client is welcome. An error that this throws, or rejects with, is logged. */
  readonly onConnect?: ((connection: ConnectionInfo<U>) => unknown) | undefined;
  /** A connection has gone, whoever ended it. An error that this throws, or rejects with, is logged. */
  readonly onDisconnect?: ((connection: ConnectionInfo<U>) => unknown) | undefined;
  /** Where logs are kept. In memory where this is left out. It is closed with the server. */
  readonly broker?: Broker | undefined;
  /** Each has a default, with its reason, in `limits.ts`. */
  readonly limits?: Chosen<Limits> | undefined;
  /**
   * Pages that may connect, such as `https://chat.example`: each origin by itself, without wildcards.
   * The page's own host where this is left out, and any port of this machine's while developing on it.
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Whether a token may come as `?token=`, for what can set neither header nor subprotocol. True
   * where this is left out. Proxies log queries: switch it off where nobody needs it.
   */
  readonly tokenInQuery?: boolean | undefined;
  /** Codecs spoken beside JSON: `msgpackCodec` of `@tailwire/protocol/msgpack`, or nothing. */
  readonly codecs?: readonly Codec[] | undefined;
  /**
   * The address that a connection comes from, for the limits per address. Where a proxy stands
   * before, say what it says: `limits.newcomersPerAddressMax` counts the proxy's own otherwise. Where it
   * throws, or gives no text, that connection is refused with `unavailable`.
   */
  readonly clientAddress?: ((request: UpgradeRequest) => string) | undefined;
  /** Errors on standard error where this is left out, and for the methods that it lacks. */
  readonly logger?: Logger | undefined;
};

const TEXTS = listOf("texts", TEXT.fits);
const SUBPROTOCOLS: readonly unknown[] = [SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK];
const CODEC = withMethods("encode", "join", "decodeServerMessages", "decodeClientMessages");
const HANDLERS: Kind = {
  words: "an object of functions, by name",
  fits: (value) => isPlain(value) && Object.values(value).every(FUNCTION.fits),
};

const OPTIONS: Kinds<TailwireOptions> = {
  authenticate: FUNCTION,
  anonymous: BOOLEAN,
  // `ChannelRules` has more to say about them.
  channels: { words: "an object by pattern", fits: () => true },
  authorize: FUNCTION,
  requests: HANDLERS,
  onConnect: FUNCTION,
  onDisconnect: FUNCTION,
  broker: withMethods("log", "close"),
  limits: OBJECT,
  allowedOrigins: TEXTS,
  tokenInQuery: BOOLEAN,
  codecs: listOf("codecs", isCodec),
  clientAddress: FUNCTION,
  // Methods that it lacks are made up for.
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

function isCodec(value: unknown): boolean {
  return CODEC.fits(value) && SUBPROTOCOLS.includes((value as Partial<Codec>).subprotocol);
}

/** JSON, which is always spoken, and what is spoken beside it. @throws RangeError. */
export function allCodecs(codecs: readonly Codec[]): readonly Codec[] {
  const all = [jsonCodec, ...codecs];
  for (const [index, { subprotocol }] of all.entries()) {
    if (!all.slice(0, index).some((other) => other.subprotocol === subprotocol)) continue;
    throw new RangeError(`codecs has two for ${subprotocol}. JSON's is there without being named`);
  }
  return all;
}
