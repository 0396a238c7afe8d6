/**
 * The interface of a codec, which turns protocol messages into one WebSocket message, and back.
 *
 * A codec knows its encoding and nothing else: `validate.ts` knows the shape of each message.
 */
import type { ClientMessage, Outgoing, ServerMessage } from "./messages.ts";
import { utf8Length } from "./utf8.ts";
import type { Decoded } from "./validate.ts";
import type { Subprotocol } from "./version.ts";

/** The payload of one WebSocket message: text for JSON, bytes for MessagePack. */
export type Encoded = string | Uint8Array;

/** A client's codec: it drops what it can't act on and reports nothing. */
export interface ClientCodec {
  readonly subprotocol: Subprotocol;
  /** The kind of WebSocket message that carries it; the other kind is malformed [ENC-5]. */
  readonly format: "text" | "binary";
  /** Encodes one protocol message. The result can be sent as it is, or be joined with others. */
  encode(message: Outgoing<ClientMessage | ServerMessage>): Encoded;
  /** Puts results of {@link encode} into one WebSocket message: 1,024 at most [ENC-2], unchecked. */
  join(encoded: readonly Encoded[]): Encoded;
  /**
   * The messages in one WebSocket message, in order. Malformed messages are left out, and so are
   * unknown types [VER-3]. It never throws.
   */
  readServerMessages(wire: Encoded): readonly ServerMessage[];
}

/** The messages of one WebSocket message, in order. Each is decoded when the iterator reaches it. */
export interface Batch<Message> extends Iterable<Decoded<Message>> {
  /** The number of messages, malformed ones included. A batch that can't be divided has 1. */
  readonly size: number;
  /** An upper estimate of the lists and objects in them, which take longest to decode [FLOW-6]. */
  readonly containers: number;
}

/** A server's codec: it says what is wrong with a message. `decode…` never throw. */
export interface Codec extends Omit<ClientCodec, "readServerMessages"> {
  /** The messages in one WebSocket message, decoded one by one. It never throws. */
  clientBatch(wire: Encoded): Batch<ClientMessage>;
  /** The same of a server's, all at once, in order. */
  decodeServerMessages(wire: Encoded): readonly Decoded<ServerMessage>[];
  /** The same as {@link clientBatch}, all at once, in order. */
  decodeClientMessages(wire: Encoded): readonly Decoded<ClientMessage>[];
}

/** Bytes of a WebSocket message's payload, as `messageBytesMax` counts them [ENC-7]: text in UTF-8. */
export function encodedBytes(wire: Encoded): number {
  return typeof wire === "string" ? utf8Length(wire) : wire.length;
}
