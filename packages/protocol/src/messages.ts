/**
 * The messages of protocol v1, as both sides hold them in memory. PROTOCOL.md says what they mean.
 *
 * Every message has `type`, `id` and `timestamp`. An answer names its request in `re`. This file
 * doesn't know an encoding, and nothing here looks into a publication's data.
 */
import type { Fault } from "./local-codes.ts";
import type { JsonText } from "./json-text.ts";
import type { Position, Start } from "./position.ts";

interface Envelope<Type extends string> {
  readonly type: Type;
  /** Opaque; a request's is unique within its session, a publication's within its channel. */
  readonly id: string;
  /** Unix milliseconds by the clock of whoever made the message. For display, never for order. */
  readonly timestamp: number;
}

/** Any JSON value, or the text of one that is already encoded. */
type Data = unknown;

/** What a publication or a snapshot carries: a JSON value or bytes, one of them exactly [ENC-9]. */
interface Carried {
  readonly data?: Data;
  readonly bytes?: Uint8Array;
}

// From the client

/** The first message: who goes on here, and which of its connections this is. */
export interface Hello extends Envelope<"hello"> {
  /** The session's secret. It proves that a publisher is the same as before [PUB-3]. */
  readonly session: string;
  /** Rises with each connection of the session; the broker refuses lower ones [PUB-7]. */
  readonly generation: number;
  readonly client: { readonly name: string; readonly version: string };
  /** Keeps an older connection of the session for a while: make before break [CONN-6]. */
  readonly overlap?: boolean;
}

/** A fresh token, on a live connection [AUTH-8]. */
export interface Authenticate extends Envelope<"authenticate"> {
  readonly token: string;
}

/** A question to the application [REQ-1]. */
export interface RequestMessage extends Envelope<"request"> {
  readonly name: string;
  readonly data: Data;
}

/** Takes a request back. It has no answer of its own: the request still has one [REQ-3]. */
export interface CancelMessage extends Envelope<"cancel"> {
  readonly re: string;
}

export interface Subscribe extends Envelope<"subscribe"> {
  readonly channel: string;
  readonly start: Start;
}

export interface Unsubscribe extends Envelope<"unsubscribe"> {
  readonly channel: string;
}

/** One page of a channel's log, without following it [READ-1]. */
export interface ReadMessage extends Envelope<"read"> {
  readonly channel: string;
  /** Publications at most. */
  readonly count: number;
  /** Reads onwards from here, not including it. */
  readonly after?: Position | undefined;
  /** Reads backwards from here, not including it. Without either: the newest page. */
  readonly before?: Position | undefined;
}

export interface Publish extends Envelope<"publish">, Carried {
  readonly channel: string;
  readonly event: string;
  /** Counts its client's publications up, so that an order that was lost is noticed [PUB-14]. */
  readonly sequence?: number;
  /** Present when the publication may have been sent before [PUB-5]. */
  readonly repeat?: Repeat;
}

/** What the server needs to tell whether a publication that it doesn't know was ever appended. */
export interface Repeat {
  /** Milliseconds since the first send, by a clock that only goes forward. */
  readonly ageMs: number;
  /** The channel's epoch at the first send, where the client knew it. */
  readonly epoch?: string;
}

// From the server

export interface Welcome extends Envelope<"welcome"> {
  readonly re: string;
  /** The client's public id: the `publisher` of its publications, and what their ids begin with. */
  readonly client: string;
  /** The node's name, for support. */
  readonly node: string;
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
  /** When the token ends, in Unix milliseconds by the server's clock, where it does [AUTH-9]. */
  readonly expiresAt?: number;
  readonly limits: {
    readonly messageBytesMax: number;
    readonly subscriptionsMax: number;
    /** How long an id of a publication is remembered. */
    readonly dedupeMs: number;
    /** How long an append may take at most. */
    readonly appendMs: number;
  };
  /** Optional parts of v1 that this server has [VER-4]. */
  readonly features: readonly string[];
}

/** The answer to a request that was done. What else it holds depends on the request. */
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
  /** To `authenticate`: when the new token ends, where it does. */
  readonly expiresAt?: number;
  /** To `request`: what the application answered. */
  readonly data?: Data;
  /** To `read`: the page, in the log's order. */
  readonly publications?: readonly Entry[];
  /** To `read`: whether there are more in that direction. */
  readonly more?: boolean;
  /** To `read`: what the log doesn't have any more where the page was to begin. */
  readonly gap?: LostRange;
}

/** One entry of a log, whose channel is known. */
export interface Entry extends Carried {
  readonly id: string;
  readonly timestamp: number;
  readonly offset: number;
  /** The offset before this one's; `offset - 1` where left out [DEL-2]. */
  readonly prev?: number;
  readonly event: string;
  /** Public id of the client that published it; null when the server did. */
  readonly publisher: string | null;
}

/** The answer to a request that failed or, without `re`, word of what is wrong here. */
export interface ErrorMessage extends Envelope<"error"> {
  readonly re?: string;
  readonly code: string;
  readonly description: string;
  readonly fault: Fault;
  readonly retry: boolean;
  readonly retryAfterMs?: number;
}

/** One entry of a channel's log: the same bytes for every subscriber on an encoding. */
export interface PublicationMessage extends Envelope<"publication">, Entry {
  readonly id: string;
  readonly timestamp: number;
  readonly channel: string;
}

/** A channel's state as of a position: it takes the place of all that was before [STATE-1]. */
export interface SnapshotMessage extends Envelope<"snapshot">, Carried {
  readonly channel: string;
  readonly position: Position;
}

/** The channel goes on under a new epoch that continues the old one: nothing was lost. */
export interface EpochMessage extends Envelope<"epoch"> {
  readonly channel: string;
  /** The position, under its new epoch. */
  readonly position: Position;
}

export type GapReason = "trimmed" | "epoch" | "diverged" | "ahead";

/** Publications that somebody will not get. */
export interface LostRange {
  readonly reason: GapReason;
  /** The last position before the gap. */
  readonly from: Position;
  /** The last position inside the gap. */
  readonly to: Position;
  /** Delivery goes on right after this. */
  readonly continuesAfter: Position;
  /** How many were lost, or null where nobody can know. */
  readonly lost: number | null;
}

export interface GapMessage extends Envelope<"gap">, LostRange {
  readonly channel: string;
}

/** The end of the log was reached: once per subscribe and per gap. */
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
  readonly code: string;
  readonly description: string;
  /** Whether subscribing from where it stood may succeed later. */
  readonly retry: boolean;
}

// From either

export type Ping = Envelope<"ping">;

export interface Pong extends Envelope<"pong"> {
  readonly re: string;
}

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

/** A message on its way out: its data is text that was encoded before. */
export type Outgoing<Message> = Message extends { readonly data: Data }
  ? Omit<Message, "data"> & { readonly data: JsonText }
  : "data" extends keyof Message
    ? Omit<Message, "data" | "publications"> & {
        readonly data?: JsonText;
        readonly publications?: readonly Outgoing<Entry>[];
      }
    : Message;

/** A message before it is given its id and timestamp. */
export type Unstamped<Message> = Message extends unknown
  ? Omit<Outgoing<Message>, "id" | "timestamp">
  : never;
