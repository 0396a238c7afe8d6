/**
 * The application's side of a node: what it decides, answers and wants to be told.
 *
 * Everything in here is somebody else's code: the node calls it with a deadline, and takes a throw
 * for an answer. It doesn't know how an answer travels.
 */
import type { PlatformSignal } from "@tailwire/protocol";
import type { Authenticated, Authorize, User } from "./access/access.ts";

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
