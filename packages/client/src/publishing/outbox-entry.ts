/** An entry of the outbox: a publication, and what its client knows of its way. It does nothing. */
import type { Cancel, Payload } from "@tailwire/protocol";
import type { Machine } from "../support/machine.ts";
import type { Published } from "../types.ts";
import type { EntryEvent, EntryState } from "./entry-states.ts";

export interface Entry {
  readonly id: string;
  /** Which one it is, counted from 1 [PUB-14]. */
  readonly sequence: number;
  readonly queue: Queue;
  readonly event: string;
  readonly data: Payload;
  readonly resolve: (published: Published) => void;
  readonly reject: (error: unknown) => void;
  readonly made: Moment;
  /** How long it may wait to be sent. */
  readonly ttlMs: number;
  readonly way: Machine<EntryState, EntryEvent>;
  /** Whether it is on its way, or at the server, on the connection as it is: sent and not answered. */
  underWay: boolean;
  /** How often in a row it was what its channel waits for. */
  refusals: number;
  /** How often a connection that it was on was closed for what was sent there. */
  blamed: number;
  /** The first send; null while it certainly isn't in the log. */
  first: FirstSend | null;
  /** Stops listening to the signal that was given with it. */
  stopListening?: Cancel;
  stopTimer?: Cancel;
}

/** A channel's entries, in order. */
export interface Queue {
  readonly channel: string;
  /**
   * From the oldest that isn't settled: settled ones keep their places behind it, since the server does
   * too [PUB-15].
   */
  readonly entries: Entry[];
  /** How many of them have had their turn on the connection as it is. */
  next: number;
  /** Whether it waits after a refusal that may pass: for a while, then until nothing is under way. */
  held: "for a while" | "for answers" | null;
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
}
