/**
 * The contract of a broker: it keeps channels' logs and tells nodes that they grew.
 *
 * Everything above it relies on these sentences and nothing else; `contract-suite.ts` checks them
 * on every broker. A broker doesn't know connections, subscriptions or encodings.
 */
import {
  type GapReason,
  type Payload,
  payloadBytes,
  type Position,
  type Repeat,
  type Start,
} from "@tailwire/protocol";

/** One entry in a channel's log. */
export interface Publication {
  readonly id: string;
  readonly offset: number;
  /** The offset before this one's; `offset - 1` where left out. Never unknown. */
  readonly prev?: number;
  /** Unix milliseconds by the broker's clock, non-decreasing within a log. */
  readonly timestamp: number;
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

/** A publication on its way into a log. */
export interface Append {
  /** Applied once within `dedupeMs`; a repeat is answered with the original's place. */
  readonly id: string;
  /**
   * Whose id this is. Its records are bounded, and its generations only rise. Null: nobody will
   * send it again, so nothing is remembered of it.
   */
  readonly producer: string | null;
  readonly generation: number;
  /** Rises with each of its producer's; absent where the producer doesn't say. */
  readonly sequence?: number;
  readonly publisher: string | null;
  readonly event: string;
  readonly data: Payload;
  /**
   * The payload that its producer sent, where the application has changed it: repeats are compared by this.
   */
  readonly sent?: Payload;
  /** Unix milliseconds after which it must not be appended any more: its node gave up. */
  readonly notAfter: number;
  /**
   * Present when it may have been appended before. Its age is that at the time of the call: a broker
   * that takes its time adds it before it compares.
   */
  readonly repeat?: Repeat;
}

/**
 * - `id_conflict`: the id is known with other content.
 * - `fenced`: a higher generation of the producer was here.
 * - `expired`: `notAfter` has passed; it wasn't appended.
 * - `indeterminate`: a repeat that isn't known here, and the memory that would know it is gone; or one
 *   of its producer's that a higher `sequence` has overtaken: it was refused for good once, by whoever,
 *   and its producer didn't hear of that.
 * - `rate_limited`: the producer has as many records as it may.
 * - `held`: one of the producer's before it in the batch was refused, and may come again.
 */
export type AppendRefusal =
  | "id_conflict"
  | "fenced"
  | "expired"
  | "indeterminate"
  | "rate_limited"
  | "held";

export type AppendResult =
  | { readonly kind: "appended"; readonly position: Position; readonly duplicate: boolean }
  | { readonly kind: "refused"; readonly code: AppendRefusal };

/** The range that the log can't serve any more, and where it goes on. */
export interface LogGap {
  readonly reason: GapReason;
  /** The last position inside the gap, in the log as it is now. */
  readonly to: Position;
  /** Delivery goes on right after this. */
  readonly continuesAfter: Position;
  /** Publications lost, or null where nobody can know. */
  readonly lost: number | null;
}

/** How much one read may bring: one publication at least, however large it is. */
export interface PageLimit {
  readonly count: number;
  readonly bytes: number;
}

export type ReadResult =
  | {
      readonly kind: "publications";
      /** The log's epoch. Another than asked for: the log goes on under it, and nothing is lost. */
      readonly epoch: string;
      /** In the log's order; empty where there are none in that direction. */
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

export interface TailListener {
  /** New publications, in the log's order. A hint: it may be lost, doubled or late. */
  push(epoch: string, publications: readonly Publication[]): void;
  /** Something may have been missed. */
  suspect(): void;
}

export interface Tail {
  /** The log's last position, read after the broker began to push. */
  readonly position: Position;
  close(): void;
}

/** One channel's log in the broker. A handle: making one costs and keeps nothing. */
export interface BrokerLog {
  /**
   * Appends in order. Every entry has its own result; one that is refused doesn't stop the rest.
   *
   * @throws `unavailable` when certainly nothing was appended, `indeterminate` when nobody knows.
   */
  append(batch: readonly Append[]): Promise<readonly AppendResult[]>;
  /** The publications that follow a position, or the gap that lies there. It never skips silently. */
  read(after: Position, limit: PageLimit): Promise<ReadResult>;
  /**
   * The publications that precede a position, or with null the end of the log: in the log's order,
   * the newest that fit. A trimmed range is no gap here; a position that isn't in the log is.
   */
  readBack(before: Position | null, limit: PageLimit): Promise<ReadResult>;
  /** The position that a relative start means now. */
  locate(start: Exclude<Start, Position>): Promise<Position>;
  /** Follows the log until closed. Subscribing creates the log's record. */
  tail(listener: TailListener): Promise<Tail>;
}

export interface Broker {
  readonly capabilities: {
    /** Whether a log outlives the process. */
    readonly durable: boolean;
  };
  /** The log of a channel. The retention is the one of this node's configuration. */
  log(channel: string, retention: Retention): BrokerLog;
  close(): Promise<void>;
}

/** Bytes that a publication counts against retention: its data, and what surrounds it on the wire. */
export function publicationBytes(publication: Omit<Publication, "offset" | "timestamp">): number {
  const { data, event, id, publisher } = publication;
  return payloadBytes(data) + event.length + id.length + (publisher?.length ?? 4) + 96;
}
