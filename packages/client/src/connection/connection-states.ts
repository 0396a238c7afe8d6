/**
 * The states of the client's connection, as a table. Diagrams are made from it, and tests walk
 * every cell. An application is shown exactly these states.
 */
import type { StateTable } from "../support/machine.ts";

export type ConnectionState =
  /** Nothing was asked of it yet. */
  | "idle"
  /** The first connection is being made. */
  | "connecting"
  /** The server has said welcome. */
  | "connected"
  /** It was lost, or couldn't be made: waiting for the next attempt, or in it. */
  | "reconnecting"
  /** Told to stay away, by the application or the platform. */
  | "offline"
  /** For good. */
  | "closed";

export type ConnectionEvent =
  /** Something is to be sent or followed. */
  | "use"
  /** The server has said welcome. */
  | "welcome"
  /** The connection was lost, or an attempt failed. */
  | "lost"
  /** The server refuses for good. */
  | "refused"
  | "goOffline"
  | "goOnline"
  | "close";

/** Where an event leads. An event that isn't in a row changes nothing. */
export const CONNECTION_STATES: StateTable<ConnectionState, ConnectionEvent> = {
  idle: { use: "connecting", goOffline: "offline", close: "closed" },
  connecting: {
    welcome: "connected",
    lost: "reconnecting",
    refused: "closed",
    goOffline: "offline",
    close: "closed",
  },
  connected: { lost: "reconnecting", refused: "closed", goOffline: "offline", close: "closed" },
  reconnecting: {
    welcome: "connected",
    lost: "reconnecting",
    refused: "closed",
    goOffline: "offline",
    close: "closed",
  },
  offline: { goOnline: "reconnecting", close: "closed" },
  closed: {},
};
