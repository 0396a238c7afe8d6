/** Positions, and the comparison of a publication with one. */

/** A place in a channel's log: "seen up to and including this publication" [DEL-1]. */
export interface Position {
  /** Names one incarnation of the log. Opaque: compare it for equality only. */
  readonly epoch: string;
  /** The publication's number: rises by one. Comparable within an epoch only. */
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
 * Compares a publication's offset with a subscriber's [DEL-2]: it is the next one, it was seen, or the
 * chain is broken, because publications between the two are missing.
 */
export function chain(at: number, offset: number): "next" | "seen" | "broken" {
  if (offset <= at) return "seen";
  return offset === at + 1 ? "next" : "broken";
}
