/**
 * The states of an outbox entry, as a table: what its client knows of whether it is in the log. Diagrams
 * are made from it, and tests walk every cell.
 */
import type { StateTable } from "../support/machine.ts";

export type EntryState =
  /** Never sent: it certainly isn't in the log, and may be taken back. */
  | "unsent"
  /** Sent on one connection, the one as it is. */
  | "sent"
  /** Refused for now there, so it certainly isn't in the log. The server waits for it [PUB-12]. */
  | "held"
  /** Each connection that it was on was closed for what was sent [CLOSE-6]. */
  | "suspected"
  /** A connection that it was on was lost: it may be in the log, whatever is said of a repeat. */
  | "in doubt"
  /** It came back from the log, and its publisher knows. The server may wait for it [PUB-11]. */
  | "told"
  | "acknowledged"
  /** Not in the log, by the server's word or the client's. */
  | "refused"
  /** Nobody knows, and it isn't sent any more. */
  | "indeterminate";

export type EntryEvent =
  /** It is handed to a socket, first or again. */
  | "write"
  | "ack"
  /** It comes back from the log while it is under way, or its channel waits. */
  | "seen"
  /** The server's answer is a refusal for good. */
  | "refusal"
  /** The server's answer is a refusal that may pass. */
  | "held"
  /** The connection that it was written to is lost. */
  | "lost"
  /** That connection was closed for something that was sent on it. */
  | "blame"
  /** It was blamed alone, once too often. */
  | "condemn"
  /** It can't be sent any more: too old, too large, taken back, or the client is closed. */
  | "give up";

/** While it may be in the log, whoever is asked. */
const ASKED = {
  ack: "acknowledged",
  seen: "told",
  refusal: "refused",
  "give up": "indeterminate",
} as const;

/** Where an event leads. An event that isn't in a row changes nothing. */
export const ENTRY_STATES: StateTable<EntryState, EntryEvent> = {
  unsent: { write: "sent", "give up": "refused" },
  sent: { ...ASKED, held: "held", lost: "in doubt", blame: "suspected" },
  held: { write: "sent", seen: "told", "give up": "refused" },
  suspected: { ...ASKED, lost: "in doubt", condemn: "refused" },
  "in doubt": { ...ASKED, condemn: "indeterminate" },
  told: {},
  acknowledged: {},
  refused: {},
  indeterminate: {},
};
