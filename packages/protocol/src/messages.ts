/**
 * The messages of protocol v1, as both sides hold them in memory. PROTOCOL.md, 6, has their meaning.
 *
 * Every message has `type`, `id` and `timestamp` [MSG-1]. An answer names its request in `re`. This
 * file knows no encoding.
 */
import type { Fault } from "./local-codes.ts";
import type { JsonText } from "./json-text.ts";
import type { Position, Start } from "./position.ts";

interface Envelope<Type extends string> {
  readonly type: Type;
  /** Opaque. A request's is unique within its session, a publication's within its channel [MSG-2]. */
  readonly id: string;
  /** Unix milliseconds by the sender's clock; a publication's by its broker's. For display, never for order. */
  readonly timestamp: number;
}

/** A JSON value; on its way out a {@link JsonText}, see {@link Outgoing}. */
type Data = unknown;

/** The payload of a publication or a snapshot: exactly one of a JSON value and bytes [ENC-9]. */
interface Carried {
  readonly data?: Data;
  readonly bytes?: Uint8Array;
}

// From the client

/** The first message: names the session, and the number of this connection in it [CONN-2]. */
export interface Hello extends Envelope<"hello"> {
  /** The session's secret. It proves that a publisher is the same as before [PUB-3]. */
  readonly session: string;
  /** Rises with each connection of the session. The broker refuses publications of lower ones [PUB-7]. */
  readonly generation: number;
  readonly client: { readonly name: string; readonly version: string };
  /** Keeps an older connection of the session for a while: make before break [CONN-6]. */
  readonly overlap?: boolean;
}

/** A fresh token, on a live connection [AUTH-8]. */
export interface Authenticate extends Envelope<"authenticate"> {
  readonly token: string;
}

/** A request to the application, which is sent once only [REQ-1] [REQ-4]. */
export interface RequestMessage extends Envelope<"request"> {
  readonly name: string;
  readonly data: Data;
}

/** Takes the request `re` back. It isn't answered itself; the request still is [REQ-3]. */
export interface CancelMessage extends Envelope<"cancel"> {
  readonly re: string;
}

/** Begins a subscription. Its `ack` names where, before anything is delivered [SUB-1]. */
export interface Subscribe extends Envelope<"subscribe"> {
  readonly channel: string;
  readonly start: Start;
}

/** Ends a subscription: nothing of the channel follows the `ack` [SUB-5]. */
export interface Unsubscribe extends Envelope<"unsubscribe"> {
  readonly channel: string;
}

/** One page of a channel's log, without following it [READ-1]. */
export interface ReadMessage extends Envelope<"read"> {
  readonly channel: string;
  /** Publications at most, 1 to 1,000. */
  readonly count: number;
  /** Reads onwards, beginning right after it. With both, this counts. */
  readonly after?: Position | undefined;
  /** Reads backwards, ending right before it. Without either, the page is the end of the log. */
  readonly before?: Position | undefined;
}

/** Adds a publication to a channel's log, once however often it is sent [PUB-4]. */
export interface Publish extends Envelope<"publish">, Carried {
  readonly channel: string;
  readonly event: string;
  /** The client's count of its publications: exposes a repeat that later ones have overtaken [PUB-14]. */
  readonly sequence: number;
  /**
   * Up to this sequence all of the client's publications to the channel are answered or given up, and
   * none of them comes again [PUB-15]. Below its own.
   */
  readonly settled: number;
  /** Present when the publication may have been sent before [PUB-5]. */
  readonly repeat?: Repeat;
}

/** Lets the broker decide whether a publication whose id it doesn't know was appended and forgotten [PUB-5]. */
export interface Repeat {
  /** Milliseconds since the first send, by a monotonic clock. */
  readonly ageMs: number;
  /** The channel's epoch at the first send, where the client knew it. */
  readonly epoch?: string;
}

// From the server

/** The answer to `hello`: the connection is open. */
export interface Welcome extends Envelope<"welcome"> {
  readonly re: string;
  /** The client's public id: the `publisher` of its publications, whose ids begin with it [PUB-2]. */
  readonly client: string;
  /** The node's name, for support. */
  readonly node: string;
  /** Milliseconds between pings, and how long an answer may take [LIVE-1]. */
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  /** The token's end in Unix milliseconds by the server's clock; absent where it has none [AUTH-9]. */
  readonly expiresAt?: number;
  readonly limits: {
    /** Bytes of one WebSocket message [ENC-7]. */
    readonly messageBytesMax: number;
    /** Subscriptions of one connection [SUB-8]. */
    readonly subscriptionsMax: number;
    /** Milliseconds for which a publication's id is remembered [PUB-4]. */
    readonly dedupeMs: number;
    /** Milliseconds that an append may take [PUB-10]. */
    readonly appendMs: number;
    /** Publications to a channel that may be sent above `settled` [PUB-15]. */
    readonly window: number;
  };
  /** Optional parts of v1 that this server has [VER-4]. */
  readonly features: readonly string[];
}

/** The answer to a request that was done. Its optional fields depend on the request. */
export interface Ack extends Envelope<"ack"> {
  readonly re: string;
  /**
   * To `subscribe`: delivery begins right after it. To `publish`: the publication stands there. To
   * `read`: the page begins right after it.
   */
  readonly position?: Position;
  /** To `subscribe` from a position: whether all that follows it was retained just now. */
  readonly recovered?: boolean;
  /** To `publish`: whether it was in the log already. */
  readonly duplicate?: boolean;
  /** To `authenticate`: the new token's end, as in `welcome` [AUTH-9]. */
  readonly expiresAt?: number;
  /** To `request`: what the application answered. */
  readonly data?: Data;
  /** To `read`: the page, in the log's order. */
  readonly publications?: readonly Entry[];
  /** To `read`: whether there are more in that direction. */
  readonly more?: boolean;
  /** To `read`: the range that the log has lost where the page was to begin [READ-3]. */
  readonly gap?: LostRange;
}

/** One entry of a log, as a page has it: without its channel. */
export interface Entry extends Carried {
  readonly id: string;
  readonly timestamp: number;
  readonly offset: number;
  readonly event: string;
  /** Public id of the client that published it; null when the server did. */
  readonly publisher: string | null;
}

/** The answer to a request that failed; without `re`, an error that no request names [MSG-7]. */
export interface ErrorMessage extends Envelope<"error"> {
  readonly re?: string;
  /** One of `ERROR_CODES`, or an application's own [ERR-1]. */
  readonly code: string;
  readonly description: string;
  readonly fault: Fault;
  /** Whether the same request may succeed later. */
  readonly retry: boolean;
  /** Milliseconds to wait before that. */
  readonly retryAfterMs?: number;
}

/** One entry of a channel's log. Its bytes are the same for every subscriber on an encoding [DEL-3]. */
export interface PublicationMessage extends Envelope<"publication">, Entry {
  readonly id: string;
  readonly timestamp: number;
  readonly channel: string;
}

/** A channel's state as of a position. It replaces all that the client knew of the channel [STATE-1]. */
export interface SnapshotMessage extends Envelope<"snapshot">, Carried {
  readonly channel: string;
  readonly position: Position;
}

/** The channel goes on under a new epoch that continues the old one: nothing was lost [DEL-7]. */
export interface EpochMessage extends Envelope<"epoch"> {
  readonly channel: string;
  /** The subscription's position, under the new epoch. */
  readonly position: Position;
}

/**
 * The cause of a gap (PROTOCOL.md, 7): retention trimmed the log, its epoch is another, another
 * publication has the position's offset [DEL-6], or the position lies beyond the log's end.
 */
export type GapReason = "trimmed" | "epoch" | "diverged" | "ahead";

/** A range that the log can't serve to a subscriber or reader any more [DEL-4]. */
export interface LostRange {
  readonly reason: GapReason;
  /** The last position before the gap. */
  readonly from: Position;
  /** The last position inside the gap. */
  readonly to: Position;
  /** Delivery goes on right after this. */
  readonly continuesAfter: Position;
  /** Publications lost; null where nobody can know. Counted with `trimmed`. */
  readonly lost: number | null;
}

/** Tells a subscriber of a gap, before anything that follows it [DEL-4]. */
export interface GapMessage extends Envelope<"gap">, LostRange {
  readonly channel: string;
}

/** Delivery has reached the end of the log: once per subscribe and per later gap [DEL-8]. */
export interface CaughtUp extends Envelope<"caughtup"> {
  readonly channel: string;
  readonly position: Position;
}

/** The server has begun a subscription: delivery begins right after the position [SUB-10]. */
export interface Subscribed extends Envelope<"subscribed"> {
  readonly channel: string;
  readonly position: Position;
}

/** The server has ended a subscription [SUB-9]. */
export interface Unsubscribed extends Envelope<"unsubscribed"> {
  readonly channel: string;
  /** The cause, as in `error`: `removed`, `forbidden` and others. */
  readonly code: string;
  readonly description: string;
  /** Whether subscribing from the last position may succeed later. */
  readonly retry: boolean;
}

// From either

/** Answered with `pong` at once, by either side [LIVE-4]. */
export type Ping = Envelope<"ping">;

/** The answer to a `ping`, whose id is in `re`. */
export interface Pong extends Envelope<"pong"> {
  readonly re: string;
}

/** A message to the server. An unknown type is malformed there [MSG-4]. */
export type ClientMessage =
  | Hello
  | Authenticate
  | Subscribe
  | Unsubscribe
  | Publish
  | ReadMessage
  | RequestMessage
  | CancelMessage
  | Ping
  | Pong;

/** A message to a client, which ignores unknown types [VER-3]. */
export type ServerMessage =
  | Welcome
  | Ack
  | ErrorMessage
  | PublicationMessage
  | EpochMessage
  | GapMessage
  | SnapshotMessage
  | CaughtUp
  | Subscribed
  | Unsubscribed
  | Ping
  | Pong;

/** A message for a codec to encode. Its data is {@link JsonText}, so that it is encoded once for all. */
export type Outgoing<Message> = Message extends { readonly data: Data }
  ? Omit<Message, "data"> & { readonly data: JsonText }
  : "data" extends keyof Message
    ? Omit<Message, "data" | "publications"> & {
        readonly data?: JsonText;
        readonly publications?: readonly Outgoing<Entry>[];
      }
    : Message;

/** An outgoing message without id and timestamp, which the connection adds. */
export type Unstamped<Message> = Message extends unknown
  ? Omit<Outgoing<Message>, "id" | "timestamp">
  : never;
