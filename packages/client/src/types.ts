/** The types that an application reads and writes: publications, gaps, options. No behaviour. */
import type { AbortSignalLike, GapReason, Position, Start } from "@tailwire/protocol";

/** One entry in a channel's log. */
export interface Publication {
  /** Unique within the channel. A publication that was sent twice keeps its id [PUB-4]. */
  readonly id: string;
  /** Its kind: 1 to 64 of `A-Z a-z 0-9 _ . : -`. */
  readonly event: string;
  /** A JSON value, or bytes. */
  readonly data: unknown;
  /** Its place in the log: as a `start`, it begins right after this publication. */
  readonly position: Position;
  /** Unix milliseconds by the broker's clock. For display: order is the position's business. */
  readonly timestamp: number;
  /** Public id of the client that published it; null when the server did. */
  readonly publisher: string | null;
  /** The `localId` that `publish()` gave it, where this very client published it; else null. */
  readonly localId: string | null;
}

/** Publications that this subscriber will not get. It is always told, never left to find out [DEL-4]. */
export interface Gap {
  /**
   * - `"trimmed"`: retention passed the subscriber.
   * - `"epoch"`: the log was lost, or made anew.
   * - `"diverged"`: the broker lost publications that the subscriber has already seen.
   * - `"ahead"`: the broker doesn't have what the subscriber has seen.
   */
  readonly reason: GapReason;
  /** The last position before the gap. */
  readonly from: Position;
  /** The last position inside the gap. */
  readonly to: Position;
  /**
   * Delivery goes on right after this. With `"diverged"` it lies before `from`: what the
   * subscriber saw in between was withdrawn, and other publications take its place.
   */
  readonly continuesAfter: Position;
  /** Publications lost, or null where nobody can know. */
  readonly lost: number | null;
}

/** A channel's state as of a position, as the application on the server gives it. */
export interface Snapshot {
  /** A JSON value, or bytes: it takes the place of whatever was known of the channel. */
  readonly data: unknown;
  /** The next item handed over comes right after it [STATE-1]. */
  readonly position: Position;
}

export interface ReadOptions {
  /** Reads onwards from here, not including it. */
  readonly after?: Position | undefined;
  /** Reads backwards from here, not including it. Without either: the newest page. */
  readonly before?: Position | undefined;
  /** Publications at most, up to 1,000; 100 where left out. Large ones make a page shorter. */
  readonly limit?: number | undefined;
  /** Gives up: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike | undefined;
  /** Milliseconds to wait, reconnects included, before `timeout`; 30,000 where left out. */
  readonly timeoutMs?: number | undefined;
}

/** A piece of a channel's log. */
export interface Page {
  /** In the log's order, whichever way it was read. */
  readonly publications: readonly Publication[];
  /** Whether there are more in that direction. */
  readonly more: boolean;
  /** The part that the log has lost where the page was to begin; null when nothing is missing. */
  readonly gap: Gap | null;
}

/** The result of a publish: the log has it. */
export interface Published {
  /** Its place in the log. */
  readonly position: Position;
}

/** A publication on its way: the promise of its place in the log. */
export interface Publishing extends Promise<Published> {
  /** There at once, and again in the {@link Publication} that comes: to know what was shown already. */
  readonly localId: string;
}

export interface SubscribeOptions {
  /** Where to begin; `"latest"` where left out: with what is published from now on. */
  readonly start?: Start | undefined;
  /** False: this client's own publications aren't handed over. The position moves past them. */
  readonly echo?: boolean | undefined;
  /** Ends the subscription, as `close()` does: `onEnd` gets null. */
  readonly signal?: AbortSignalLike | undefined;
}

export interface PublishOptions {
  /** Takes the publication back while it is unsent. Once sent, only the wait ends. */
  readonly signal?: AbortSignalLike | undefined;
  /**
   * How long it may wait to be sent, in milliseconds: then it rejects with `ttl_expired`. Once
   * sent it stays, and is sent again until its fate is known.
   */
  readonly ttlMs?: number | undefined;
}

/** The connection, for an application to show. A new object on every change. */
export interface ConnectionStatus {
  /** See docs/lifecycle.md. `"closed"` is for good: the server refused, or `close()` was called. */
  readonly state: "idle" | "connecting" | "connected" | "reconnecting" | "offline" | "closed";
  /** Attempts since the connection was last up; 0 while it is. */
  readonly attempt: number;
  /** When the next attempt is due, in Unix milliseconds; null when none is. */
  readonly retryAt: number | null;
  /**
   * The last failure, in a word: the server's code (`unavailable`, `not_found`), a close reason
   * (`restarting`), `connection_lost`, `silent`, `connect_failed`, `connect_timeout`,
   * `token_failed`. On Node with `ws` also the system's code (`ECONNREFUSED`), or `http_502` and the
   * like for an answer that no tailwire server gave; without any WebSocket `missing_websocket`. Null
   * while nothing is wrong.
   */
  readonly reason: string | null;
  /** Publications in the outbox: not yet acknowledged. */
  readonly pending: number;
}

/** Takes a call such as `onGap` back: its listener isn't called any more. */
export type Stop = () => void;
