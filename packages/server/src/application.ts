/**
 * The application's side of a node: what it decides, answers and wants to be told.
 *
 * Everything in here is somebody else's code: the node calls it with a deadline, and takes a throw
 * for an answer. It doesn't know how an answer travels.
 */
import type { PlatformSignal, Position } from "@tailwire/protocol";

/** An action that a user may want of a channel. Subscribing includes reading its log. */
export type Action = "subscribe" | "publish";

/** The user whom a connection belongs to. Add what the application wants to know about its users. */
export interface User {
  /** The same on every connection of this user, and nobody else's. */
  readonly id: string;
}

/** A grant that needs no call of `authorize`. */
export interface Capability {
  /** A channel's name, or a pattern. */
  readonly channel: string;
  readonly actions: readonly Action[];
}

/** The findings of `authenticate`. They are read once; a later change doesn't count. */
export interface Authenticated<U extends User = User> {
  readonly user: U;
  /**
   * When the token ends, as a date or in Unix milliseconds: `claims.exp * 1000`. Never, where this is
   * left out or Infinity. A token that has ended already is refused as a bad one is.
   */
  readonly expiresAt?: number | Date | undefined;
  /** With these, a crowd that reconnects costs no look-up. */
  readonly capabilities?: readonly Capability[] | undefined;
}

/** One question for `authorize`. */
export interface AuthorizeQuestion<U extends User = User> {
  readonly user: U;
  readonly action: Action;
  /** The declared pattern, which tells which params there are. */
  readonly pattern: string;
  readonly params: Readonly<Record<string, string>>;
  /** The full name, with its params in place: `room:7`. */
  readonly channel: string;
}

/**
 * Says whether a user may do something: `true` allows it. An answer that is no boolean is logged as a
 * mistake and allows nothing. The call has a deadline, `limits.hookMs`.
 */
export type Authorize<U extends User = User> = (
  question: AuthorizeQuestion<U>,
) => boolean | Promise<boolean>;

/** The question for a channel's state. */
export interface SnapshotQuestion {
  readonly channel: string;
  readonly params: Readonly<Record<string, string>>;
  /**
   * The log's end just before this call. Return it as `position` if your state covers it, as a state
   * does that took in all publications before the call; return a later one if you know it.
   */
  readonly position: Position;
}

export interface SnapshotAnswer {
  /** A JSON value, or bytes: the state, which takes the place of whatever the client had. */
  readonly data: unknown;
  /**
   * The position up to which publications are part of the state. Later ones in the log come after it,
   * and a state that holds them already has to bear them again. The question's where it is left out.
   */
  readonly position?: Position | undefined;
}

export type SnapshotHook = (question: SnapshotQuestion) => SnapshotAnswer | Promise<SnapshotAnswer>;

/** A publication on its way in. */
export interface IncomingPublication<U extends User = User> {
  readonly user: U;
  /** The connection's notes, kept by `onConnect` and others. */
  readonly context: Record<string, unknown>;
  readonly channel: string;
  readonly params: Readonly<Record<string, string>>;
  readonly event: string;
  readonly data: unknown;
}

export type OnPublish<U extends User = User> = (publication: IncomingPublication<U>) => unknown;

/** A connection, as `onConnect` and `onDisconnect` see it. */
export interface ConnectionInfo<U extends User = User> {
  readonly user: U;
  /** The client's public id: the publisher of its publications. */
  readonly client: string;
  /** Whatever the application wants to keep about this connection. */
  readonly context: Record<string, unknown>;
}

export interface RequestContext<U extends User = User> {
  readonly user: U;
  readonly context: Record<string, unknown>;
  /** The request's id, unique within the client's session. */
  readonly id: string;
  /** Aborts when the client takes the request back, goes away, or the deadline passes. */
  readonly signal: PlatformSignal;
}

/**
 * Answers a request with the JSON value that it returns, null where that is undefined. A
 * `TailwireError` that it throws is the answer too.
 */
export type RequestHandler<U extends User = User> = (
  input: unknown,
  context: RequestContext<U>,
) => unknown;

export interface Application {
  /** Null where declared channels are open to everybody who is authenticated. */
  readonly authorize: Authorize | null;
  readonly requests: ReadonlyMap<string, RequestHandler>;
  /** Judges a token on a live connection; null refuses. */
  readonly authenticate: (token: string) => Promise<Authenticated | null>;
  readonly onConnect: (connection: ConnectionInfo) => unknown;
  readonly onDisconnect: (connection: ConnectionInfo) => unknown;
}

/** Calls a function of the application, with its deadline. @throws TailwireError it threw; else Mistake. */
export type CallHook = <Value>(name: string, hook: () => Value | Promise<Value>) => Promise<Value>;
