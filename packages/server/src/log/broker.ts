/**
 * The contract of a broker: it keeps channels' logs and tells nodes that they grew.
 *
 * The server relies on these sentences and nothing else; `contract-suite.ts` checks them on every
 * broker. A broker doesn't know connections, subscriptions or encodings.
 */
import {
  type GapReason,
  type Payload,
  payloadBytes,
  type Position,
  type Start,
} from "@tailwire/protocol";

import type { Awaitable } from "../support/awaitable.ts";

/** One entry in a channel's log. */
export interface Publication {
  readonly id: string;
  /** From 1 on; rises by one within an epoch. */
  readonly offset: number;
  /** Unix milliseconds by the broker's clock, non-decreasing within a log. */
  readonly timestamp: number;
  /** The client's public id; null when the server published it. */
  readonly publisher: string | null;
  readonly event: string;
  readonly data: Payload;
}

/**
 * How much of a log is kept. The first limit reached trims the oldest publications; the newest is never
 * trimmed for its bytes.
 */
export interface Retention {
  /** Publications at most. */
  readonly count: number;
  /** Bytes of publications at most, as {@link publicationBytes} counts them. */
  readonly bytes: number;
  /** Milliseconds after which a publication is trimmed. */
  readonly maxAgeMs: number;
}

/** A session's publishing to one channel, as it stands with one publication. */
export interface Producer {
  readonly id: string;
  /** Rises with the session's connections. */
  readonly generation: number;
  /** Rises with the session's publications. */
  readonly sequence: number;
  /** Below `sequence`. Up to this one it sends none of its publications to the channel again. */
  readonly settled: number;
  /** The publication's id and its content as it was sent, as a hash. */
  readonly fingerprint: number;
}

/** A publication on its way into a log. Its instants are the node's, by its monotonic clock. */
export interface Append {
  readonly id: string;
  /** Null: nobody will send it again, so nothing is remembered of it. */
  readonly producer: Producer | null;
  readonly publisher: string | null;
  readonly event: string;
  readonly data: Payload;
  /**
   * The last instant at which it may be appended. After that its node has given up. One that has passed
   * already asks whether it was appended before: what is known is answered as ever.
   */
  readonly notAfter: number;
  /** Present where it may have been appended before: at `since` at the earliest. */
  readonly repeat?: { readonly since: number; readonly epoch?: string };
}

/**
 * - `id_conflict`: its sequence is another publication's, or comes anew without `repeat`.
 * - `fenced`: a higher generation of its producer has appended.
 * - `overtaken`: it isn't in the log, and a higher sequence of its producer is.
 * - `indeterminate`: a repeat of which nobody can know any more whether it was appended.
 * - `rate_limited`: its producer has a window of publications open, or the log too many producers.
 * - `held`: one of its producer's before it in the batch was refused, and may come again.
 * - `expired`: `notAfter` has passed; it wasn't appended.
 */
export type AppendRefusal =
  | "id_conflict"
  | "fenced"
  | "overtaken"
  | "indeterminate"
  | "rate_limited"
  | "held"
  | "expired";

export type AppendResult =
  | { readonly kind: "appended"; readonly position: Position; readonly duplicate: boolean }
  | { readonly kind: "refused"; readonly code: AppendRefusal };

/** A range that the log can't serve any more [DEL-4]. The caller knows where it begins. */
export interface LogGap {
  readonly reason: GapReason;
  /** The last position inside the gap, in the log as it is now. */
  readonly to: Position;
  /** Delivery goes on right after this. */
  readonly continuesAfter: Position;
  /** Publications lost; null where nobody can know. Counted with `trimmed`. */
  readonly lost: number | null;
}

/** The limit of one read: publications, and bytes. The first publication is always read. */
export interface PageLimit {
  readonly count: number;
  /** As {@link publicationBytes} counts them. */
  readonly bytes: number;
}

/** The result of a read: publications, or the gap that lies at the position. */
export type ReadResult =
  | {
      readonly kind: "publications";
      /** The log's epoch. Another than the position's continues that one, and nothing is lost [DEL-7]. */
      readonly epoch: string;
      /** In the log's order; empty at the end of the log in that direction. */
      readonly publications: readonly Publication[];
    }
  | {
      readonly kind: "gap";
      readonly gap: LogGap;
      /**
       * The publications right after `continuesAfter`, as many as the page may carry: one at least, if
       * there are any. A log that keeps little has passed by again before anybody could ask for them.
       * Empty where the page was to be read back.
       */
      readonly publications: readonly Publication[];
    };

/** How soon after a push that is lost its log is suspected, in milliseconds. */
export const LOST_PUSH_MS = 2_000;

/** The callbacks of a node that follows a log. */
export interface TailListener {
  /** New publications, in the log's order. A hint: calls may be lost, doubled or late. */
  push(epoch: string, publications: readonly Publication[]): void;
  /**
   * Pushes may have been lost: the node reads the log again. A broker that can lose a push while it is up
   * calls this within {@link LOST_PUSH_MS} of each that it has lost: it alone knows how to ask cheaply
   * where all the logs end.
   */
  suspect(): void;
}

/** An open tail of a log. */
export interface Tail {
  /** The log's last position, read after the broker began to push. */
  readonly position: Position;
  /** Ends the pushes. */
  close(): void;
}

/**
 * One channel's log in the broker. It is a handle, made for each call, which must cost and keep nothing.
 * Each call has a deadline, `limits.appendMs`.
 *
 * Reads, locations and tails see all that this broker object has acknowledged or pushed: a node takes a
 * log that ends earlier for one that has lost its end.
 */
export interface BrokerLog {
  /**
   * Appends in order [PUB-8]. The results are in the order of the batch, one for each. A refusal for
   * good doesn't stop the rest. A broker that has them at once gives them without a promise.
   *
   * @throws `unavailable` when certainly nothing was appended; `indeterminate` when nobody knows, as
   * for every other error.
   */
  append(batch: readonly Append[]): Awaitable<readonly AppendResult[]>;
  /**
   * The publications right after a position, or the gap that lies there: it never skips any silently.
   *
   * @throws `unavailable` when the log can't be read now.
   */
  read(after: Position, limit: PageLimit): Promise<ReadResult>;
  /**
   * The newest publications before a position, or with null before the log's end, in the log's order. A
   * trimmed range is no gap here; a position that isn't in the log is [READ-3].
   *
   * @throws `unavailable` when the log can't be read now.
   */
  readBack(before: Position | null, limit: PageLimit): Promise<ReadResult>;
  /** The position of a relative start at this moment [SUB-2]. @throws `unavailable`. */
  locate(start: Exclude<Start, Position>): Promise<Position>;
  /** Pushes new publications until the tail is closed. It creates the log. @throws `unavailable`. */
  tail(listener: TailListener): Promise<Tail>;
}

/** Whether a broker can be reached; the reason why not is for the operator's log, not for clients. */
export type BrokerState =
  | { readonly kind: "up" }
  | { readonly kind: "down"; readonly reason: string };

/** Keeps the logs of channels. Several nodes may share them. */
export interface Broker {
  readonly capabilities: {
    /** Whether a log outlives the process. */
    readonly durable: boolean;
  };
  /** A handle of a channel's log. The retention is the one that this node's application declares. */
  log(channel: string, retention: Retention): BrokerLog;
  /**
   * Called once, by the node. The listener is told each change, but none after {@link close}; until the
   * first the broker is up. While it is down, nothing is asked of it but to close. Once it is up again, its
   * tails push, and the node reads each log that it follows again: the broker needn't suspect them. One
   * that is always up calls nobody.
   */
  onState(listener: (state: BrokerState) => void): void;
  /** Called once, after the server's last connection has ended. It has a deadline, `limits.hookMs`. */
  close(): Promise<void>;
}

/** Bytes of a publication for retention and page limits: its payload, and about its envelope on the wire. */
export function publicationBytes(publication: Omit<Publication, "offset" | "timestamp">): number {
  const { data, event, id, publisher } = publication;
  return payloadBytes(data) + event.length + id.length + (publisher?.length ?? 4) + 96;
}
