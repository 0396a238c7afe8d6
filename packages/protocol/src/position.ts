/** Positions: places in a channel's log. */

/** A place in a channel's log: "seen up to and including this publication". */
export interface Position {
  /** Names one incarnation of the log. Opaque: compare it for equality only. */
  readonly epoch: string;
  /** Number of the publication. Strictly increasing, and comparable only within an epoch. */
  readonly offset: number;
  /** Id of the publication there; null where there is none: an empty log, an edge, a snapshot. */
  readonly id: string | null;
}

/**
 * Where a subscription begins: after what is there now, before all that is retained, so many
 * publications or milliseconds back, or right after a position.
 */
export type Start =
  | "latest"
  | "earliest"
  | { readonly rewind: { readonly count: number } | { readonly ageMs: number } }
  | Position;

/** Whether a start is a position. What names a rewind is one, whatever else is in it. */
export function isPosition(start: Start): start is Position {
  return typeof start === "object" && !("rewind" in start);
}

/**
 * What a publication means for somebody at `offset` [DEL-2]: it follows, it was seen before, or
 * something lies between. `prev` is the offset before the publication's, known to the broker.
 */
export function chain(
  offset: number,
  publication: { readonly offset: number; readonly prev?: number | undefined },
): "next" | "seen" | "broken" {
  if (publication.offset <= offset) return "seen";
  return (publication.prev ?? publication.offset - 1) <= offset ? "next" : "broken";
}
