/** The setting of a run, which comes first in its history. It knows no rule. */

/** The limits that a run is held to, where they aren't the usual: the first event. */
export type SettingEvent = { readonly type: "setting" } & Partial<Setting>;

export interface Setting {
  /** How long after its end a token may still be served: the grace, and what a deadline is late by. */
  readonly expiryMs: number;
  /** How long it may take to decide anew about a subscription, after a fresh token. */
  readonly decisionMs: number;
  /** Bytes of a page: beyond them it may be shorter than was asked. */
  readonly pageBytes: number;
  /** How long a node may not know what has become of a log, where it was cut from its broker. */
  readonly staleMs: number;
  /** How long an id is remembered, and an append may take. */
  readonly dedupeMs: number;
  readonly appendMs: number;
  /** Subscriptions of one connection, and bytes of one message. */
  readonly subscriptionsMax: number;
  readonly messageBytesMax: number;
  /** Requests of one connection that may wait for their answers. */
  readonly requestsMax: number;
  /** Publications of a client to a channel that may be unsettled. */
  readonly window: number;
  /** The broker's wall clock, when the one that only goes on is at 0. */
  readonly wall: number;
}
