/**
 * A payload: what a publication or a snapshot carries, in the one form that logs keep.
 *
 * A JSON value is kept as its normalised text, bytes as they are. Codecs turn it into what travels;
 * nobody else looks into it.
 */
import { toBase64 } from "./base64.ts";
import { localError, wordsOf } from "./errors.ts";
import { JsonText } from "./json-text.ts";
import { isBytes } from "./json-writer.ts";

export type Payload = JsonText | Uint8Array;

/** What carries a payload on the wire: one of the two. */
export interface Carrier {
  readonly data?: unknown;
  readonly bytes?: Uint8Array;
}

/**
 * The payload that a value is: bytes for an ArrayBuffer, a SharedArrayBuffer and any view of one,
 * else JSON. Bytes are copied: whoever has them may go on to change them.
 *
 * @throws `invalid_data` for what is neither bytes nor a JSON value.
 */
export function payloadOf(value: unknown): Payload {
  if (value instanceof JsonText) return value;
  if (!isBytes(value)) return JsonText.of(value);
  try {
    const view = ArrayBuffer.isView(value) ? value : new DataView(value as ArrayBuffer);
    const { buffer, byteOffset, byteLength } = view;
    return new Uint8Array(buffer, byteOffset, byteLength).slice();
  } catch (error) {
    // The buffer was transferred, or it only calls itself one.
    throw localError("invalid_data", `data: ${wordsOf(error)}`);
  }
}

/** What is carried, as an application sees it: a JSON value, or bytes. */
export function carriedValue({ data, bytes }: Carrier): unknown {
  return bytes ?? data;
}

/** The fields of a message that carries the payload. */
export function carrying(
  payload: Payload,
): { readonly data: JsonText } | { readonly bytes: Uint8Array } {
  return payload instanceof JsonText ? { data: payload } : { bytes: payload };
}

/** Bytes that it takes, in UTF-8 where it is text. */
export function payloadBytes(payload: Payload): number {
  return payload instanceof JsonText ? payload.bytes : payload.length;
}

/** A text that two payloads share only if they are the same. */
export function payloadText(payload: Payload): string {
  // Base64 is no JSON text: it has no quotes, and what looks like a number or a word is marked.
  return payload instanceof JsonText ? payload.text : `=${toBase64(payload)}`;
}
