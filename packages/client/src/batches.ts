/** Packs encoded lines into WebSocket messages: as few as the limits allow. It knows no socket. */
import { type ClientCodec, MESSAGE_LIMITS, type Wire, wireBytes } from "@tailwire/protocol";

/** A message that waits to be written. What depends on the time is encoded when it is. */
export interface Line {
  /** The encoded message; empty when it isn't wanted any more. */
  encode(codec: ClientCodec): Wire;
  /** It is about to be written. */
  onWrite(): void;
}

/** One WebSocket message, and how many lines it carries. */
export interface Batch {
  readonly wire: Wire;
  readonly bytes: number;
  readonly count: number;
}

/**
 * The first lines, as many as fit into one WebSocket message, and `countMin` of them in any case;
 * null where that is none.
 */
export function firstBatch(
  codec: ClientCodec,
  lines: readonly Line[],
  bytesMax: number,
  countMin: 0 | 1,
): Batch | null {
  const encoded: Wire[] = [];
  let bytes = 0;
  let count = 0;
  for (const waiting of lines) {
    const line = waiting.encode(codec);
    const lineBytes = wireBytes(line);
    const fits = bytes + lineBytes <= bytesMax && count < MESSAGE_LIMITS.batchMax;
    if (!fits && count >= countMin) break;
    encoded.push(line);
    bytes += lineBytes;
    count += 1;
  }
  return count === 0 ? null : { wire: codec.join(encoded), bytes, count };
}
