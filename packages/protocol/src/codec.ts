/**
 * What a codec does: messages to what one WebSocket message carries, and back.
 *
 * One WebSocket message may carry several protocol messages, both ways. Codecs know an encoding
 * and nothing else; what a message must look like is `validate.ts`'s business.
 */
import type { ClientMessage, Outgoing, ServerMessage } from "./messages.ts";
import { utf8Length } from "./utf8.ts";
import type { Decoded } from "./validate.ts";
import type { Subprotocol } from "./version.ts";

/** What one WebSocket message carries: text or bytes, as the codec's encoding is. */
export type Wire = string | Uint8Array;

/** What a client needs of a codec. */
export interface ClientCodec {
  readonly subprotocol: Subprotocol;
  /** Which kind of WebSocket message carries it. */
  readonly format: "text" | "binary";
  /** One protocol message. Several are sent together by {@link join}. */
  encode(message: Outgoing<ClientMessage | ServerMessage>): Wire;
  /** What one WebSocket message carries, of what {@link encode} gave. */
  join(encoded: readonly Wire[]): Wire;
  /**
   * The messages in one WebSocket message, in order. What is malformed and what isn't known
   * [VER-3] is left out, because a client can act on neither. It never throws.
   */
  readServerMessages(wire: Wire): readonly ServerMessage[];
}

/** The messages of one WebSocket message, in order, each decoded when it is asked for. */
export interface Batch<Message> extends Iterable<Decoded<Message>> {
  /** How many they are, what is malformed among them included. */
  readonly size: number;
  /** Lists and objects in them, or a little more than there are: what takes longest to decode. */
  readonly containers: number;
}

/** A whole codec, which says what is wrong with a message. */
export interface Codec extends Omit<ClientCodec, "readServerMessages"> {
  /** What decodes the messages in one WebSocket message one by one. It never throws. */
  clientBatch(wire: Wire): Batch<ClientMessage>;
  /** The messages in one WebSocket message, in order. It never throws. */
  decodeServerMessages(wire: Wire): readonly Decoded<ServerMessage>[];
  /** The messages in one WebSocket message, in order. It never throws. */
  decodeClientMessages(wire: Wire): readonly Decoded<ClientMessage>[];
}

/** Bytes that it takes on the wire. */
export function wireBytes(wire: Wire): number {
  return typeof wire === "string" ? utf8Length(wire) : wire.length;
}
