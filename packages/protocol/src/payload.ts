/**
 * A payload: the content of a publication or a snapshot, in the one form that logs keep.
 *
 * A JSON value is kept as its normalised text, bytes as they are. Only codecs look into it.
 */
import { toBase64 } from "./base64.ts";
import { localError, wordsOf } from "./errors.ts";
import { JsonText } from "./json-text.ts";
import { isBytes } from "./json-writer.ts";

/** A JSON value as text, or bytes: the form that logs keep [ENC-9]. */
export type Payload = JsonText | Uint8Array;

/** The fields of a message that have its payload: one of the two [ENC-9]. */
export interface Carrier {
  readonly data?: unknown;
  readonly bytes?: Uint8Array;
}

/**
 * An application's value as a payload: bytes for an ArrayBuffer, a SharedArrayBuffer and any view of
 * one, else JSON [ENC-12]. Bytes are copied, since the application may change its buffer later.
 *
 * @throws `invalid_data` for a value that is neither bytes nor JSON, and for a buffer that was transferred.
 */
export function payloadOf(value: unknown): Payload {
  if (value instanceof JsonText) return value;
  if (!isBytes(value)) return JsonText.of(value);
  try {
    const view = ArrayBuffer.isView(value) ? value : new DataView(value as ArrayBuffer);
    const { buffer, byteOffset, byteLength } = view;
    return new Uint8Array(buffer, byteOffset, byteLength).slice();
  } catch (error) {
    // The buffer was transferred, or the value has a buffer's tag only.
    throw localError("invalid_data", `data: ${wordsOf(error)}`);
  }
}

/** A message's payload, as an application gets it: a JSON value, or bytes. */
export function carriedValue({ data, bytes }: Carrier): unknown {
  return bytes ?? data;
}

/** The fields to spread into a message that carries the payload [ENC-9]. */
export function carrying(
  payload: Payload,
): { readonly data: JsonText } | { readonly bytes: Uint8Array } {
  return payload instanceof JsonText ? { data: payload } : { bytes: payload };
}

/** Bytes of the payload: of JSON its text in UTF-8, without any encoding's overhead. */
export function payloadBytes(payload: Payload): number {
  return payload instanceof JsonText ? payload.bytes : payload.length;
}

/** A text that is equal for equal payloads only, to compare repeats by [PUB-4]. */
export function payloadText(payload: Payload): string {
  // The `=` marks bytes: some base64 is JSON text too, such as `1234` and `null`.
  return payload instanceof JsonText ? payload.text : `=${toBase64(payload)}`;
}
