/**
 * The states of a channel's cursor on the wire, as a table. Diagrams are made from it, and tests walk
 * every cell.
 */
import type { StateTable } from "../support/machine.ts";

export type WireState =
  /** The server sends nothing, and isn't asked to. */
  | "idle"
  /** A subscribe was sent and isn't answered. */
  | "asking"
  /** Acknowledged where the log couldn't go on: the server has said that a gap follows [SUB-3]. */
  | "owed a gap"
  /** Acknowledged: publications come in the log's order. */
  | "following"
  /** The same, and it was the server that began it [SUB-10]. */
  | "given"
  /** Waits after a refusal that may pass, or after beginnings that brought nothing. */
  | "resting";

export type WireEvent =
  /** It is sent. */
  | "subscribe"
  /** The server has begun a subscription by itself. */
  | "subscribed"
  /** The subscribe is acknowledged. */
  | "ack"
  /** The same, with `recovered: false`. */
  | "gap first"
  /** It has come, or a new epoch in its place. */
  | "gap"
  /** An unsubscribe that was sent before is answered. */
  | "released"
  /** Unsubscribed, refused for good, or lost with the connection. */
  | "over"
  /** Refused for now, or given up for a while. */
  | "rest"
  /** The wait is over. */
  | "rested";

/** Where an event leads. An event that isn't in a row changes nothing. */
export const WIRE_STATES: StateTable<WireState, WireEvent> = {
  idle: { subscribe: "asking", subscribed: "given" },
  asking: {
    ack: "following",
    "gap first": "owed a gap",
    over: "idle",
    rest: "resting",
  },
  "owed a gap": { gap: "following", over: "idle", rest: "resting" },
  following: { over: "idle", rest: "resting" },
  given: { released: "idle", over: "idle", rest: "resting" },
  resting: { rested: "idle", over: "idle" },
};
