/**
 * A history: everything that a run did and saw, in the order in which it happened, in words that a
 * simulated run, a real one and a test can all say. It judges nothing.
 *
 * Publications are identified by their tag, which publishers make unique, and compared whole.
 */
import type { SettingEvent } from "./setting.ts";

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
  readonly event: string;
  /** The public id of whose it is; null for the server's own. */
  readonly publisher: string | null;
  readonly timestamp: number;
  /** A digest of the whole payload. */
  readonly content: string;
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

/** A publication, and its outcome as the publisher was told it. */
export type PublishingEvent =
  /** `publisher` is one stream of publications whose order counts. */
  | {
      readonly type: "publish";
      readonly tag: string;
      readonly channel: string;
      readonly publisher: string;
      /** The user and the session that it is published as; null where the server itself does. */
      readonly as: string | null;
      readonly event: string;
      /** A digest of the whole payload. */
      readonly content: string;
      /** The payload's own, in its encoding. */
      readonly bytes: number;
      /** How old it may be when it is sent first; null where it doesn't matter. */
      readonly ttlMs: number | null;
      readonly at: number;
    }
  | { readonly type: "published"; readonly tag: string; readonly position: Place }
  /** `may`: whether the refusal leaves open that it was appended. */
  | {
      readonly type: "unpublished";
      readonly tag: string;
      readonly code: string;
      readonly may: boolean;
      readonly at: number;
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
      /** Its share of a page's size. */
      readonly bytes: number;
    }
  /** Up to here it was trimmed. */
  | {
      readonly type: "edge";
      readonly channel: string;
      readonly epoch: string;
      readonly offset: number;
      /** More than retention asks for: what nodes hold of it, they still serve. */
      readonly early?: boolean;
    };

/** Events of one subscriber, in its order. */
export type SubscriberEvent =
  | {
      readonly type: "subscribe";
      readonly sub: string;
      readonly client: string;
      readonly channel: string;
      readonly start: Beginning;
      /** Whose publications it isn't handed; null where it is handed all. */
      readonly without: string | null;
      /** Whether the application keeps a state of the channel. */
      readonly hasState: boolean;
      /** Whether the server has begun it, and nobody here asked. */
      readonly begun: boolean;
      readonly at: number;
    }
  /** Delivery begins right after this. */
  | {
      readonly type: "started";
      readonly sub: string;
      readonly position: Place;
      readonly at: number;
    }
  | {
      readonly type: "delivery";
      readonly sub: string;
      readonly epoch: string;
      readonly entry: Entry;
      readonly at: number;
    }
  /** The application keeps the position, to go on from there; perhaps while at work on the last. */
  | {
      readonly type: "kept";
      readonly sub: string;
      readonly position: Place;
      readonly working: boolean;
    }
  | ({ readonly type: "gap"; readonly sub: string; readonly at: number } & Told)
  | {
      readonly type: "snapshot";
      readonly sub: string;
      readonly position: Place;
      readonly state: string;
      readonly at: number;
    }
  /** It was told that it has everything. */
  | { readonly type: "caughtup"; readonly sub: string }
  /** It takes no more: because the application asked, or else by this code. */
  | {
      readonly type: "ended";
      readonly sub: string;
      readonly asked: boolean;
      readonly code: string | null;
    };

/** A page of a log is asked for. */
export interface ReadEvent {
  readonly type: "read";
  readonly page: string;
  readonly channel: string;
  readonly after: Place | null;
  readonly before: Place | null;
  /** Publications at most. */
  readonly count: number;
}

/** The result of a `read`. */
export interface PageEvent {
  readonly type: "page";
  readonly page: string;
  readonly epoch: string | null;
  readonly entries: readonly Entry[];
  readonly more: boolean;
  readonly gap: Told | null;
}

/** Permissions, and deliveries that need them. `wall` is the node's wall clock. */
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
  /** The refusal of an action that isn't allowed, or whose channel doesn't exist. */
  | {
      readonly type: "denied";
      readonly action: string;
      readonly exists: boolean;
      readonly answer: string;
    };

/** The wire, as it was seen. Times in milliseconds by a clock that only goes on. */
export type WireEvent =
  /** Whose connection it is. */
  | { readonly type: "link"; readonly connection: string; readonly client: string }
  | WroteEvent
  | RequestEvent
  | AnswerEvent
  | ToldEvent
  /**
   * A node has written a gap: how many publications its tail had behind it, and whether one of them was
   * in the same write.
   */
  | {
      readonly type: "gapped";
      readonly connection: string;
      readonly channel: string;
      readonly behind: number;
      readonly followed: boolean;
    }
  /** A node has written an error that answers no request. */
  | { readonly type: "complaint"; readonly connection: string; readonly code: string }
  /** A node has written something that breaks the rules of the protocol. */
  | { readonly type: "unreadable"; readonly connection: string; readonly detail: string }
  /** The client has heard that it is over, by this code. */
  | { readonly type: "cut"; readonly connection: string; readonly code: number }
  /** The server has: no answer is owed any more. */
  | { readonly type: "closed"; readonly connection: string };

/** A client has handed a publication to a socket. */
export interface WroteEvent {
  readonly type: "wrote";
  readonly connection: string;
  readonly id: string;
  readonly tag: string;
  readonly at: number;
  /** How long ago it was first sent, as the client says; null where it says that it never was. */
  readonly ageMs: number | null;
  readonly channel: string;
  readonly sequence: number;
  readonly settled: number;
}

/** A request has come to a node. Each is answered once, or its connection is gone. */
export interface RequestEvent {
  readonly type: "request";
  readonly connection: string;
  readonly id: string;
  readonly what: string;
  /** Null where it is about none. */
  readonly channel: string | null;
  /** A subscribe's; null for anything else. */
  readonly start: Beginning | null;
  /** The name of the token that it came under, as in `token`; null for none yet. */
  readonly grant: string | null;
  /** By the node's wall clock. */
  readonly wall: number;
  readonly at: number;
}

/** A node has written the answer to a request. */
export interface AnswerEvent {
  readonly type: "answer";
  readonly connection: string;
  readonly re: string;
  /** An error's; null for what was done. */
  readonly code: string | null;
  /** Whether the same may succeed later: such a refusal says that nothing was done. */
  readonly retry: boolean;
  readonly position: Place | null;
  readonly recovered: boolean | null;
  readonly at: number;
}

/** A node has written something else of a subscription. */
export interface ToldEvent {
  readonly type: "told";
  readonly connection: string;
  readonly what: "subscribed" | "unsubscribed" | "gap" | "caughtup";
  readonly channel: string;
  readonly code: string | null;
  readonly retry: boolean;
  readonly position: Place | null;
}

/** Deeds of applications, for which nobody else is to blame. */
export type DeedEvent =
  /** There is a client now, of a user and a session that others may have too. */
  | {
      readonly type: "client";
      readonly client: string;
      readonly user: string;
      readonly session: string;
    }
  /** It is closed, or killed. */
  | { readonly type: "quit"; readonly client: string }
  /** The server's application has ended a user's subscriptions to a channel, or all its connections. */
  | { readonly type: "removed"; readonly user: string; readonly channel: string | null }
  /** A hook of the server's application has failed, or hangs. */
  | { readonly type: "failed" };

/** How a client says that it is. */
export interface StatusEvent {
  readonly type: "status";
  readonly client: string;
  readonly state: string;
  /** Publications that it has heard nothing of. */
  readonly pending: number;
}

/** How a run went as a whole. */
export type RunEvent =
  /** Something that somebody holds, in bytes or by number, and how much it may be. */
  | { readonly type: "held"; readonly what: string; readonly bytes: number; readonly bound: number }
  /** From here on nothing goes wrong any more. */
  | { readonly type: "healed" }
  /** So much later everybody should have everything. */
  | { readonly type: "settled" }
  /** How often something happened for a while, and how often there may have been reason for it. */
  | {
      readonly type: "stormed";
      readonly what: string;
      readonly count: number;
      readonly bound: number;
    }
  /**
   * From here on a client is a burden, and what is at hand in some channels; null where no client
   * is. Others must not notice: what the server publishes elsewhere takes them so long at most.
   */
  | {
      readonly type: "burden";
      readonly client: string | null;
      readonly channels: readonly string[];
      readonly boundMs: number;
    }
  /** No longer: a delivery that hasn't come by now comes only because of it. */
  | { readonly type: "relief" }
  /** A node's own count of something, and how much of that was seen at least and at most. */
  | {
      readonly type: "counted";
      readonly what: string;
      readonly said: number;
      readonly least: number;
      readonly most: number;
    }
  /** Things that remain after all clients have gone: there should be none. */
  | { readonly type: "left"; readonly what: string; readonly count: number }
  | { readonly type: "crash"; readonly error: string }
  /** The same run once more. */
  | { readonly type: "rerun"; readonly hash: string; readonly again: string };

/** A wall clock was set: that of a client by its name, or of the `broker`. */
interface JumpedEvent {
  readonly type: "jumped";
  readonly device: string;
  readonly ms: number;
  readonly at: number;
}

export type HistoryEvent =
  | SettingEvent
  | JumpedEvent
  | PublishingEvent
  | LogEvent
  | SubscriberEvent
  | ReadEvent
  | PageEvent
  | AccessEvent
  | WireEvent
  | DeedEvent
  | StatusEvent
  | RunEvent;
