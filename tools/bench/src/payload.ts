/**
 * The payload of every publication: 128 bytes of JSON. Its `at` begins with a mark, `@`, and the time,
 * by which the receiver counts deliveries and measures their latency.
 */

/** Bytes of the JSON text. */
const PAYLOAD_BYTES = 128;

/** Digits of the time behind the mark, in microseconds. The receiver reads as many. */
const TIME_DIGITS = 16;

/** The channel of benches that need only one. */
export const CHANNEL = "bench";

export interface Payload {
  readonly at: string;
  readonly pad: string;
}

const empty = JSON.stringify({ at: `@${"0".repeat(TIME_DIGITS)}`, pad: "" });
const pad = "x".repeat(PAYLOAD_BYTES - empty.length);

/** A payload with the time now, by the monotonic clock that all processes share. */
export function payloadNow(): Payload {
  const us = process.hrtime.bigint() / 1_000n;
  return { at: `@${us.toString().padStart(TIME_DIGITS, "0")}`, pad };
}

/** A payload as text. The receiver replaces `%t` by the time. */
export const PAYLOAD_TEMPLATE = JSON.stringify({ at: "@%t", pad });
