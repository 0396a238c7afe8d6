/** Packs encoded lines into WebSocket messages: as few as the limits allow. It knows no socket. */
import {
  type ClientCodec,
  PROTOCOL_LIMITS,
  type TailwireError,
  type Encoded,
  encodedBytes,
} from "@tailwire/protocol";

/** A message that waits. It is encoded when it is written, since a repeat's age depends on the time. */
export interface Line {
  /** The encoded message; empty when it isn't wanted any more. */
  encode(codec: ClientCodec): Encoded;
  /** It is about to be written. */
  readonly onWrite?: (() => void) | undefined;
  /** On its own it is larger than the server takes, so it won't be written. */
  readonly onTooLarge?: ((error: TailwireError) => void) | undefined;
}

/** The lines of one WebSocket message, and their size. */
export interface Batch {
  readonly encoded: readonly Encoded[];
  readonly bytes: number;
}

/** The first lines, as many as fit into one WebSocket message; perhaps none. */
export function firstBatch(codec: ClientCodec, lines: readonly Line[], bytesMax: number): Batch {
  const encoded: Encoded[] = [];
  let bytes = 0;
  for (const waiting of lines) {
    const line = waiting.encode(codec);
    const lineBytes = encodedBytes(line);
    if (bytes + lineBytes > bytesMax || encoded.length === PROTOCOL_LIMITS.batchMax) break;
    encoded.push(line);
    bytes += lineBytes;
  }
  return { encoded, bytes };
}
