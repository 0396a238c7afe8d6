/**
 * The MessagePack codec: maps behind one another, in WebSocket binary messages [ENC-10].
 *
 * `data` travels as its JSON text, so that a payload is the same on every encoding; `bytes` travel
 * as they are. The library only decodes messages that `scanMessages` has found to be bounded.
 */
import { Decoder, Encoder } from "@msgpack/msgpack";
import type { Batch, ClientCodec, Codec, Encoded } from "./codec.ts";
import { type JsonText, parseJson } from "./json-text.ts";
import * as PROTOCOL_LIMITS from "./limits.ts";
import type { ClientMessage, Outgoing, ServerMessage } from "./messages.ts";
import { scanMessages } from "./msgpack-scan.ts";
import { isTable } from "./shapes.ts";
import {
  type Decoded,
  type Malformed,
  validateClientMessage,
  validateServerMessage,
} from "./validate.ts";
import { SUBPROTOCOL_MSGPACK } from "./version.ts";

const encoder = new Encoder({ ignoreUndefined: true });

const decoder = new Decoder();

/** The MessagePack codec, for servers and clients alike [VER-6]. */
export const msgpackCodec: Codec & ClientCodec = {
  subprotocol: SUBPROTOCOL_MSGPACK,
  format: "binary",
  encode: (message: Outgoing<ClientMessage | ServerMessage>) => encoder.encode(packed(message)),
  join,
  clientBatch,
  decodeClientMessages: (wire) => [...clientBatch(wire)],
  decodeServerMessages: (wire) => [...serverBatch(wire)],
  readServerMessages: (wire) =>
    [...serverBatch(wire)].flatMap((decoded) =>
      "message" in decoded && decoded.message !== null ? [decoded.message] : [],
    ),
};

function join(encoded: readonly Encoded[]): Uint8Array {
  const parts = encoded as readonly Uint8Array[];
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** The message with its data as text, also in a page's entries. */
function packed(object: object): object {
  const { data, publications, ...rest } = object as {
    readonly data?: JsonText;
    readonly publications?: readonly object[];
  };
  return { ...rest, publications: publications?.map(packed), data: data?.text };
}

function clientBatch(wire: Encoded): Batch<ClientMessage> {
  return batchOf(wire, PROTOCOL_LIMITS.valuesMax, validateClientMessage);
}

/** Values are unbounded here: a page has as many as its server wants. */
function serverBatch(wire: Encoded): Batch<ServerMessage> {
  return batchOf(wire, Infinity, validateServerMessage);
}

function batchOf<Message>(
  wire: Encoded,
  valuesMax: number,
  validate: (value: unknown) => Decoded<Message>,
): Batch<Message> {
  const scanned = typeof wire === "string" ? null : scanMessages(wire, valuesMax);
  if (typeof wire === "string" || scanned === null) {
    const words = `batch: expected ${PROTOCOL_LIMITS.batchMax} MessagePack maps at most, with keys of text`;
    return { size: 1, containers: 0, [Symbol.iterator]: () => [refuse(words)].values() };
  }
  const { parts, values } = scanned;
  const size = parts.length;
  const dear = Math.max(0, values - VALUES_PER_MESSAGE * size);
  const containers = openingBracketsIn(wire) + CONTAINERS_PER_VALUE * dear;
  return { size, containers, [Symbol.iterator]: () => decodeParts(parts, validate) };
}

/** Values per message that cost nothing extra: each key that it may have, and its value. */
const VALUES_PER_MESSAGE = 2 * PROTOCOL_LIMITS.keysMax;

/** Containers per value beyond that: a key that is new to the decoder costs as much as several lists. */
const CONTAINERS_PER_VALUE = 4;

/** Bytes that are `[` or `{`, wherever they stand: at least as many as `data` has containers. */
function openingBracketsIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] === 0x5b || bytes[at] === 0x7b) count += 1;
  }
  return count;
}

function* decodeParts<Message>(
  parts: readonly Uint8Array[],
  validate: (value: unknown) => Decoded<Message>,
): Generator<Decoded<Message>, undefined> {
  for (const bytes of parts) {
    let value: unknown;
    try {
      value = decoder.decode(bytes);
    } catch {
      // After `scanMessages` the library only throws for a key `__proto__` [MSG-5].
      yield refuse("message: expected no key __proto__");
      continue;
    }
    unpack(value);
    yield validate(value);
  }
}

function refuse(detail: string): { readonly malformed: Malformed } {
  return { malformed: { code: "bad_message", detail, re: null } };
}

/** Takes the place of data whose text isn't JSON. `shapes.ts` rejects it. */
const NO_JSON = Symbol("no JSON");

/** Parses `data` and copies `bytes`, also in a page's entries. */
function unpack(value: unknown): void {
  if (!isTable(value)) return;
  const { data, bytes, publications } = value;
  if (data !== undefined) {
    const parsed = typeof data === "string" ? parseJson(data, PROTOCOL_LIMITS.depthMax) : undefined;
    Object.assign(value, { data: parsed === undefined ? NO_JSON : parsed });
  }
  if (Array.isArray(publications)) publications.forEach(unpack);
  // A copy: a view would keep the whole WebSocket message alive.
  if (bytes instanceof Uint8Array) Object.assign(value, { bytes: new Uint8Array(bytes) });
}
