/** Positions, and the comparison of a publication with one. */

/** A place in a channel's log: "seen up to and including this publication" [DEL-1]. */
export interface Position {
  /** Names one incarnation of the log. Opaque: compare it for equality only. */
  readonly epoch: string;
  /** The publication's number: rises strictly, perhaps in steps. Comparable within an epoch only. */
  readonly offset: number;
  /** The publication's id; null where none is known: an empty log, an edge, a snapshot. */
  readonly id: string | null;
}

/**
 * The start of a subscription: the log's end, its first retained publication, a number of publications
 * or milliseconds (`ageMs`) before its end, or right after a position [SUB-2].
 */
export type Start =
  | "latest"
  | "earliest"
  | { readonly rewind: { readonly count: number } | { readonly ageMs: number } }
  | Position;

/** Whether a start is a position. An object with `rewind` isn't, also where it has `epoch`. */
export function isPosition(start: Start): start is Position {
  return typeof start === "object" && !("rewind" in start);
}

/**
 * Compares a publication with a subscriber's offset [DEL-2]: it is the next one, it was seen, or the
 * chain is broken, because publications between the two are missing. `prev` is the offset of the
 * publication before it; `offset - 1` where left out.
 */
export function chain(
  offset: number,
  publication: { readonly offset: number; readonly prev?: number | undefined },
): "next" | "seen" | "broken" {
  if (publication.offset <= offset) return "seen";
  return (publication.prev ?? publication.offset - 1) <= offset ? "next" : "broken";
}
