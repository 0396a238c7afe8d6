/**
 * The types of an application's hooks: authentication, permissions, publications, states, requests.
 *
 * A hook is not the server's own code, so the node calls it with a deadline, and its error becomes an
 * answer. This file doesn't know how an answer travels.
 */
import type { PlatformSignal, Position } from "@tailwire/protocol";

/** An action on a channel that needs permission [AUTH-11]. `subscribe` includes reading the log. */
export type Action = "subscribe" | "publish";

/** The user of a connection. An application may add fields of its own. */
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

/** A successful result of `authenticate`. It is copied, so a later change has no effect. */
export interface Authenticated<U extends User = User> {
  readonly user: U;
  /**
   * The token's end, as a date or in Unix milliseconds: `claims.exp * 1000` [AUTH-9]. Without it, or
   * with Infinity, the token doesn't end. One that has ended already is refused with `token_expired`.
   */
  readonly expiresAt?: number | Date | undefined;
  /** Permissions that the token grants: with them, a crowd that reconnects costs no look-ups. */
  readonly capabilities?: readonly Capability[] | undefined;
}

/** One question for `authorize`. */
export interface AuthorizeQuestion<U extends User = User> {
  readonly user: U;
  readonly action: Action;
  /** The pattern as the application declared it: `room:{id}`. */
  readonly pattern: string;
  readonly params: Readonly<Record<string, string>>;
  /** The channel's name: `room:7`. */
  readonly channel: string;
}

/**
 * Decides whether a user may do something: `true` allows it. A result that is no boolean is logged as a
 * mistake and allows nothing. The call has a deadline, `limits.hookMs`.
 */
export type Authorize<U extends User = User> = (
  question: AuthorizeQuestion<U>,
) => boolean | Promise<boolean>;

/** The argument of a {@link SnapshotHook}: the channel whose state is needed. */
export interface SnapshotQuestion {
  readonly channel: string;
  readonly params: Readonly<Record<string, string>>;
  /**
   * The log's end just before this call. Return it as `position` if your state covers it, as a state
   * does that took in all publications before the call; return a later one if you know it.
   */
  readonly position: Position;
}

/** A channel's state, and the position that it is of. */
export interface SnapshotAnswer {
  /** The state, a JSON value or bytes. It replaces all that the client knew of the channel [STATE-1]. */
  readonly data: unknown;
  /**
   * The position of the last publication that the state includes; the question's where left out. The
   * client gets those after it, so a state that includes some of them has to tolerate them twice.
   */
  readonly position?: Position | undefined;
}

/**
 * Gives a channel's state [STATE-2]. The call has a deadline, `limits.hookMs`. Its error fails the
 * subscribe, or after a gap ends the subscription, with `snapshot_unavailable` [STATE-4].
 */
export type SnapshotHook = (question: SnapshotQuestion) => SnapshotAnswer | Promise<SnapshotAnswer>;

/** A client's publication before it is logged: the argument of {@link OnPublish}. */
export interface IncomingPublication<U extends User = User> {
  readonly user: U;
  /** The application's own notes on the connection, shared by all hooks. */
  readonly context: Record<string, unknown>;
  readonly channel: string;
  readonly params: Readonly<Record<string, string>>;
  readonly event: string;
  /** A JSON value, or a Uint8Array. */
  readonly data: unknown;
}

/**
 * Returns the data to log, a JSON value or bytes: the given data, or its own [PUB-13]. A `TailwireError`
 * that it throws refuses the publication; any other error, and undefined, is `internal` to the client.
 * The call has a deadline, `limits.hookMs`.
 */
export type OnPublish<U extends User = User> = (publication: IncomingPublication<U>) => unknown;

/** A connection, as `onConnect` and `onDisconnect` see it. */
export interface ConnectionInfo<U extends User = User> {
  readonly user: U;
  /** The client's public id: the `publisher` of its publications [PUB-3]. */
  readonly client: string;
  /** The application's own notes on the connection, shared by all hooks. Empty at first. */
  readonly context: Record<string, unknown>;
}

/** The circumstances of a request. */
export interface RequestContext<U extends User = User> {
  readonly user: U;
  /** The application's own notes on the connection, shared by all hooks. */
  readonly context: Record<string, unknown>;
  /** The request's id, unique within the client's session. */
  readonly id: string;
  /** Aborts when the client takes the request back, the connection ends, or the deadline passes [REQ-3]. */
  readonly signal: PlatformSignal;
}

/**
 * Answers a request with the JSON value that it returns; undefined becomes null [REQ-1]. A `TailwireError`
 * that it throws is the answer; any other error is `internal` to the client. The call has a deadline,
 * `limits.requestMs`: then the client is told `timeout` [REQ-2].
 */
export type RequestHandler<U extends User = User> = (
  input: unknown,
  context: RequestContext<U>,
) => unknown;

/** An application's hooks, as a node calls them. */
export interface Application {
  /** Null: every user may do everything in declared channels. */
  readonly authorize: Authorize | null;
  readonly requests: ReadonlyMap<string, RequestHandler>;
  /** Judges a token on a live connection; null refuses. */
  readonly authenticate: (token: string) => Promise<Authenticated | null>;
  readonly onConnect: (connection: ConnectionInfo) => unknown;
  readonly onDisconnect: (connection: ConnectionInfo) => unknown;
}

/** Calls a hook, with its deadline. @throws TailwireError that the hook threw; Mistake for all else. */
export type CallHook = <Value>(name: string, hook: () => Value | Promise<Value>) => Promise<Value>;
