/** An entry of the outbox: a publication, and what its client knows of its way. It does nothing. */
import type { Cancel, Payload } from "@tailwire/protocol";
import type { Published } from "../types.ts";

export interface Entry {
  readonly id: string;
  /** Which one it is, counted from 1 [PUB-14]. */
  readonly sequence: number;
  readonly channel: string;
  readonly event: string;
  readonly data: Payload;
  readonly resolve: (published: Published) => void;
  readonly reject: (error: unknown) => void;
  readonly made: Moment;
  /** How long it may wait to be sent. */
  readonly ttlMs: number;
  /** The connection it was sent on last, counted from 1; 0 while it never was [PUB-12]. */
  sentOn: number;
  /** Whether it is on its way, or at the server, on the connection as it is: sent and not answered. */
  underWay: boolean;
  /** Whether its publisher has been told that it is in the log, while the server still waits for it. */
  told: boolean;
  /** How often in a row it was what its channel waits for. */
  refusals: number;
  /** How often a connection that it was on was closed for what was sent there. */
  blamed: number;
  /** The first send; null while it certainly wasn't. */
  first: FirstSend | null;
  /** Stops listening to the signal that was given with it. */
  stopListening?: Cancel;
  stopTimer?: Cancel;
}

export interface Moment {
  /** By the monotonic clock. */
  readonly at: number;
  /** By the wall clock. */
  readonly wall: number;
}

export interface FirstSend extends Moment {
  /** The channel's epoch, as known then. */
  readonly epoch: string | null;
  /** Which connection it was on, counted from 1. */
  readonly connection: number;
}
