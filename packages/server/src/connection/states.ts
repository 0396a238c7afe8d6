/**
 * The states of a connection, as tables: what leads from one to the next, and which messages are
 * taken in which. Diagrams are made from them, and tests walk every cell.
 */
import type { ClientMessage } from "@tailwire/protocol";

export type ConnectionState = "awaiting hello" | "open" | "closing" | "closed";

export type ConnectionEvent =
  /** The first message was accepted. */
  | "hello"
  /** This side ends the conversation. */
  | "close"
  /** The socket is gone. */
  | "gone";

/** Transitions by event. An event that is missing here can't happen, or changes nothing. */
export const CONNECTION_STATES: Readonly<
  Record<ConnectionState, Readonly<Partial<Record<ConnectionEvent, ConnectionState>>>>
> = {
  "awaiting hello": { hello: "open", close: "closing", gone: "closed" },
  open: { close: "closing", gone: "closed" },
  closing: { gone: "closed" },
  closed: {},
};

/**
 * - `take`: the message is carried out.
 * - `refuse`: it is answered with `not_ready`, and the connection stays.
 * - `violation`: it is answered with `not_ready`, and the connection closes for good.
 * - `ignore`: nobody listens any more.
 */
export type Acceptance = "take" | "refuse" | "violation" | "ignore";

type Acceptances = Readonly<Record<ClientMessage["type"], Acceptance>>;

const NOTHING: Acceptances = {
  hello: "ignore",
  authenticate: "ignore",
  subscribe: "ignore",
  unsubscribe: "ignore",
  publish: "ignore",
  read: "ignore",
  request: "ignore",
  cancel: "ignore",
  ping: "ignore",
  pong: "ignore",
};

/** Which messages are taken in which state [CONN-2]. */
export const ACCEPTANCES: Readonly<Record<ConnectionState, Acceptances>> = {
  "awaiting hello": {
    hello: "take",
    authenticate: "violation",
    subscribe: "violation",
    unsubscribe: "violation",
    publish: "violation",
    read: "violation",
    request: "violation",
    cancel: "violation",
    ping: "violation",
    pong: "violation",
  },
  open: {
    hello: "refuse",
    authenticate: "take",
    subscribe: "take",
    unsubscribe: "take",
    publish: "take",
    read: "take",
    request: "take",
    cancel: "take",
    ping: "take",
    pong: "take",
  },
  closing: NOTHING,
  closed: NOTHING,
};

export function accepts(state: ConnectionState, type: ClientMessage["type"]): Acceptance {
  return ACCEPTANCES[state][type];
}

/** The state after an event; the same where the event means nothing. */
export function nextState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  return CONNECTION_STATES[state][event] ?? state;
}

/** Whether anything that comes is still carried out, and anything is still said. */
export function listens(state: ConnectionState): boolean {
  return state === "awaiting hello" || state === "open";
}
