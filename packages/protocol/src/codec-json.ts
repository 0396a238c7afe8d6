/**
 * The JSON codec: one message per line, in WebSocket text messages [ENC-1].
 *
 * In a publication's data it checks only the depth and the size of numbers [ENC-3] [ENC-4].
 */
import { fromBase64, toBase64 } from "./base64.ts";
import type { Batch, ClientCodec, Codec, Encoded } from "./codec.ts";
import { type JsonText, parseJson } from "./json-text.ts";
import * as PROTOCOL_LIMITS from "./limits.ts";
import type { ClientMessage, Outgoing, ServerMessage } from "./messages.ts";
import {
  type Decoded,
  type Malformed,
  validateClientMessage,
  validateServerMessage,
} from "./validate.ts";
import { isServerMessage } from "./samples.ts";
import { SUBPROTOCOL_JSON } from "./version.ts";

/** The JSON codec of servers: it validates each message and says what is wrong with it. */
export const jsonCodec: Codec = {
  subprotocol: SUBPROTOCOL_JSON,
  format: "text",
  encode: (message) => `${pageText(message)}\n`,
  join,
  clientBatch: (wire) => batchOf(wire, validateClientMessage),
  decodeClientMessages: (wire) => [...batchOf(wire, validateClientMessage)],
  decodeServerMessages: (wire) => [...batchOf(wire, validateServerMessage)],
};

/**
 * The JSON codec of clients. It is apart from {@link jsonCodec} so that a browser doesn't load the
 * validators, and repeats its fields, since bundlers keep an object that is spread.
 */
export const jsonClientCodec: ClientCodec = {
  subprotocol: SUBPROTOCOL_JSON,
  format: "text",
  encode: (message) => `${objectText(message)}\n`,
  join,
  readServerMessages: (wire) =>
    linesOf(wire)
      .map(read)
      .filter((value) => isServerMessage(value)),
};

/** Shorter texts, in characters, hold too few brackets to matter, so theirs aren't counted. */
const COUNTED_LENGTH_MIN = 256;

function join(lines: readonly Encoded[]): string {
  return lines.join("");
}

/** The fields that `JSON.stringify` can't write: data that is JSON text already, and bytes. */
interface Special {
  readonly data?: JsonText;
  readonly bytes?: Uint8Array;
}

function objectText(object: object): string {
  const { data, bytes, ...rest } = object as Special;
  let text = JSON.stringify(rest).slice(0, -1);
  if (bytes !== undefined) text += `,"bytes":"${toBase64(bytes)}"`;
  if (data !== undefined) text += `,"data":${data.text}`;
  return `${text}}`;
}

/** The same of a message that may have a page of publications, which only servers send. */
function pageText(message: Outgoing<ClientMessage | ServerMessage>): string {
  const { publications, ...rest } = message as { readonly publications?: readonly object[] };
  const text = objectText(rest);
  if (publications === undefined) return text;
  return `${text.slice(0, -1)},"publications":[${publications.map(objectText).join()}]}`;
}

/** The lines of a WebSocket message; none where there are more than `batchMax` [ENC-2]. */
function linesOf(wire: Encoded): readonly string[] {
  if (typeof wire !== "string") return [];
  const lines = wire.split("\n");
  // A newline ends a line, and the last line's may be left out [ENC-1].
  if (lines.at(-1) === "") lines.pop();
  return lines.length > PROTOCOL_LIMITS.batchMax ? [] : lines;
}

function batchOf<Message>(
  wire: Encoded,
  validate: (value: unknown) => Decoded<Message>,
): Batch<Message> {
  const size = typeof wire === "string" ? lineCount(wire) : Infinity;
  if (typeof wire !== "string" || size > PROTOCOL_LIMITS.batchMax) {
    const words = `batch: expected text of at most ${PROTOCOL_LIMITS.batchMax} messages`;
    return { size: 1, containers: 0, [Symbol.iterator]: () => [refuse(words)].values() };
  }
  const containers = containersIn(wire);
  return { size, containers, [Symbol.iterator]: () => decodeLines(wire, size, validate) };
}

/** Opening brackets, also within strings. Short texts count as 0. */
function containersIn(text: string): number {
  let count = 0;
  if (text.length < COUNTED_LENGTH_MIN) return count;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x5b || unit === 0x7b) count += 1;
  }
  return count;
}

/** The number of lines. Counting stops right beyond `batchMax`. */
function lineCount(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length && count <= PROTOCOL_LIMITS.batchMax; count += 1) {
    const end = text.indexOf("\n", at);
    at = end === -1 ? text.length : end + 1;
  }
  return count;
}

function* decodeLines<Message>(
  text: string,
  count: number,
  validate: (value: unknown) => Decoded<Message>,
): Generator<Decoded<Message>, undefined> {
  let at = 0;
  for (let left = count; left > 0; left -= 1) {
    const end = text.indexOf("\n", at);
    const value = parsed(end === -1 ? text.slice(at) : text.slice(at, end));
    at = end + 1;
    yield value === undefined
      ? refuse(
          `line: expected one JSON object with finite numbers, at most ${PROTOCOL_LIMITS.depthMax} deep`,
        )
      : validate(value);
  }
}

/** A line's value; undefined where it isn't JSON, nests too deeply or has a number too large. */
function parsed(line: string): unknown {
  // The message itself is one level above its data.
  return unpackBytes(parseJson(line, PROTOCOL_LIMITS.depthMax + 1));
}

/** A line's value for a client, which trusts its server's depth and numbers. */
function read(line: string): unknown {
  try {
    return unpackBytes(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Decodes each `bytes`. Text that isn't base64 stays text, which `shapes.ts` rejects. */
function unpackBytes(value: unknown): unknown {
  const table = value as { bytes?: unknown; publications?: unknown } | null | undefined;
  if (typeof table?.bytes === "string") table.bytes = fromBase64(table.bytes) ?? table.bytes;
  if (Array.isArray(table?.publications)) table.publications.forEach(unpackBytes);
  return value;
}

function refuse(detail: string): { readonly malformed: Malformed } {
  return { malformed: { code: "bad_message", detail, re: null } };
}
