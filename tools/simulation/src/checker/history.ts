/**
 * A history: everything that a run did and saw, in the order in which it happened, in words that a
 * simulated run, a real one and a test can all say. It depends on nothing, and judges nothing.
 *
 * Contents are told apart by their tag, which whoever publishes makes unique.
 */

/** A place in a log; `id` is null where there is none. */
export interface Place {
  readonly epoch: string;
  readonly offset: number;
  readonly id: string | null;
}

/** An entry of a log, wherever it was seen. */
export interface Entry {
  readonly offset: number;
  readonly id: string;
  readonly tag: string;
}

export type Beginning =
  | "latest"
  | "earliest"
  | { readonly rewind: { readonly count: number } | { readonly ageMs: number } }
  | Place;

interface Told {
  readonly reason: "trimmed" | "epoch" | "diverged" | "ahead";
  readonly from: Place;
  readonly to: Place;
  readonly continuesAfter: Place;
  readonly lost: number | null;
}

/** What was published, and what its publisher was told. */
export type PublishingEvent =
  /** `publisher` is one stream of publications whose order counts. */
  | {
      readonly type: "publish";
      readonly tag: string;
      readonly channel: string;
      readonly publisher: string;
    }
  | { readonly type: "published"; readonly tag: string; readonly position: Place }
  /** `may`: whether the refusal leaves open that it was appended. */
  | {
      readonly type: "unpublished";
      readonly tag: string;
      readonly code: string;
      readonly may: boolean;
    };

/** The truth, as the broker has it. */
type LogEvent =
  /** A log of this epoch. With a parent it goes on from there, and has what that has up to `at`. */
  | {
      readonly type: "epoch";
      readonly channel: string;
      readonly epoch: string;
      readonly parent: string | null;
      readonly at: number;
    }
  | {
      readonly type: "appended";
      readonly channel: string;
      readonly epoch: string;
      readonly entry: Entry;
      /** Whether it was said to be a repeat. */
      readonly again: boolean;
    }
  /** Up to here it was trimmed. */
  | {
      readonly type: "edge";
      readonly channel: string;
      readonly epoch: string;
      readonly offset: number;
    };

/** What one subscriber was told, in its order. */
export type SubscriberEvent =
  | {
      readonly type: "subscribe";
      readonly sub: string;
      readonly channel: string;
      readonly start: Beginning;
      /** Whose publications it isn't handed; null where it is handed all. */
      readonly without: string | null;
      /** Whether the application keeps a state of the channel. */
      readonly hasState: boolean;
    }
  /** Delivery begins right after this. */
  | { readonly type: "started"; readonly sub: string; readonly position: Place }
  | {
      readonly type: "delivery";
      readonly sub: string;
      readonly epoch: string;
      readonly entry: Entry;
    }
  | ({ readonly type: "gap"; readonly sub: string } & Told)
  | {
      readonly type: "snapshot";
      readonly sub: string;
      readonly position: Place;
      readonly state: string;
    }
  /** It takes no more. */
  | { readonly type: "ended"; readonly sub: string };

/** What one reading of a log gave. */
export interface PageEvent {
  readonly type: "page";
  readonly channel: string;
  readonly after: Place | null;
  readonly before: Place | null;
  readonly epoch: string | null;
  readonly entries: readonly Entry[];
  readonly more: boolean;
  readonly gap: Told | null;
}

/** Who may see what, and what was written where. Times by the wall clock of the node. */
export type AccessEvent =
  | {
      readonly type: "token";
      readonly connection: string;
      readonly user: string;
      readonly expiresAt: number;
      /** By the monotonic clock, as in `sent`. */
      readonly at: number;
    }
  | {
      readonly type: "policy";
      readonly user: string;
      readonly channel: string;
      readonly allowed: boolean;
    }
  | {
      readonly type: "sent";
      readonly connection: string;
      readonly channel: string;
      readonly wall: number;
      readonly at: number;
    }
  /** What was answered to somebody who may not, or about what there isn't. */
  | {
      readonly type: "denied";
      readonly action: string;
      readonly exists: boolean;
      readonly answer: string;
    };

/** What is said on the wire. Requests are answered once each, or their connection is gone. */
export type WireEvent =
  | { readonly type: "request"; readonly connection: string; readonly id: string }
  | { readonly type: "answer"; readonly connection: string; readonly re: string }
  | { readonly type: "closed"; readonly connection: string }
  /** A code that a node has told a client, in an `error` or an `unsubscribed`. */
  | { readonly type: "told"; readonly connection: string; readonly code: string }
  /** How a connection ended, as its client was told: the number, and its name where it has one. */
  | { readonly type: "verdict"; readonly connection: string; readonly close: string }
  /** Something that a node has sent breaks the rules of the protocol. */
  | { readonly type: "unreadable"; readonly connection: string; readonly detail: string };

/** How a run went as a whole. */
export type RunEvent =
  /** Bytes that somebody made a node hold, and how many there may be. */
  | { readonly type: "held"; readonly what: string; readonly bytes: number; readonly bound: number }
  /** From here on nothing goes wrong any more. */
  | { readonly type: "healed" }
  /** So much later everybody should have everything. */
  | { readonly type: "settled" }
  /** Timers that fired while nothing was to be done, and how many may. */
  | { readonly type: "idled"; readonly timers: number; readonly bound: number }
  /** How long a delivery to somebody healthy took, and how long it may take. */
  | { readonly type: "delayed"; readonly sub: string; readonly ms: number; readonly bound: number }
  /** What is still there when all have gone. */
  | { readonly type: "left"; readonly what: string; readonly count: number }
  | { readonly type: "crash"; readonly error: string }
  /** The same run once more. */
  | { readonly type: "rerun"; readonly hash: string; readonly again: string };

export type HistoryEvent =
  | PublishingEvent
  | LogEvent
  | SubscriberEvent
  | PageEvent
  | AccessEvent
  | WireEvent
  | RunEvent;

/** `R22`, presence, isn't here: there is none yet. */
export type Rule =
  | "R1"
  | "R2"
  | "R3"
  | "R4"
  | "R5"
  | "R6"
  | "R7"
  | "R8"
  | "R9"
  | "R10"
  | "R11"
  | "R12"
  | "R13"
  | "R14"
  | "R15"
  | "R16"
  | "R17"
  | "R18"
  | "R19"
  | "R20"
  | "R21"
  | "R23"
  | "R24"
  | "R25"
  | "R26"
  | "R27"
  | "R28";

export interface Violation {
  readonly rule: Rule;
  readonly detail: string;
}

/** Takes note of a violation. */
export type Report = (rule: Rule, detail: string) => void;
