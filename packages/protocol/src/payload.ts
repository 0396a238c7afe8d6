/**
 * A payload: what a publication or a snapshot carries, in the one form that logs keep.
 *
 * A JSON value is kept as its normalised text, bytes as they are. Codecs turn it into what travels;
 * nobody else looks into it.
 */
import { toBase64 } from "./base64.ts";
import { JsonText } from "./json-text.ts";

export type Payload = JsonText | Uint8Array;

/** What carries a payload on the wire: one of the two. */
export interface Carrier {
  readonly data?: unknown;
  readonly bytes?: Uint8Array;
}

/**
 * The payload that a value is. Bytes are copied: whoever has them may go on to change them.
 *
 * @throws `invalid_data` for what is neither bytes nor a JSON value.
 */
export function payloadOf(value: unknown): Payload {
  if (value instanceof JsonText) return value;
  return value instanceof Uint8Array ? new Uint8Array(value) : JsonText.of(value);
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
