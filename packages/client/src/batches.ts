/** Packs encoded lines into WebSocket messages: as few as the limits allow. It knows no socket. */
import { PROTOCOL_LIMITS, utf8Length } from "@tailwire/protocol";

/** A message that waits to be written. What depends on the time is encoded when it is. */
export interface Line {
  /** The encoded line; empty when it isn't wanted any more. */
  encode(): string;
  /** It is about to be written. */
  onWrite(): void;
}

/** One WebSocket message, and how many lines it carries. */
export interface Batch {
  readonly text: string;
  readonly bytes: number;
  readonly count: number;
}

/**
 * The first lines, as many as fit into one WebSocket message, and `countMin` of them in any case;
 * null where that is none.
 */
export function firstBatch(
  lines: readonly Line[],
  bytesMax: number,
  countMin: 0 | 1,
): Batch | null {
  let text = "";
  let bytes = 0;
  let count = 0;
  for (const waiting of lines) {
    const line = waiting.encode();
    const lineBytes = utf8Length(line);
    const fits = bytes + lineBytes <= bytesMax && count < PROTOCOL_LIMITS.batchMax;
    if (!fits && count >= countMin) break;
    text += line;
    bytes += lineBytes;
    count += 1;
  }
  return count === 0 ? null : { text, bytes, count };
}
