/**
 * What every server is made to send: 128 bytes of JSON with a mark in it, which the receiver counts.
 * It doesn't know who sends it, nor what surrounds it.
 */

/** Bytes of the JSON text. */
const PAYLOAD_BYTES = 128;

/** Digits of the time in the mark, in microseconds: as the receiver reads it. */
const TIME_DIGITS = 16;

/** The channel that everybody follows, where a bench needs only one. */
export const CHANNEL = "bench";

export interface Payload {
  readonly at: string;
  readonly pad: string;
}

const empty = JSON.stringify({ at: `@${"0".repeat(TIME_DIGITS)}`, pad: "" });
const pad = "x".repeat(PAYLOAD_BYTES - empty.length);

/** A payload whose mark says now, by the monotonic clock that processes share. */
export function payloadNow(): Payload {
  const us = process.hrtime.bigint() / 1_000n;
  return { at: `@${us.toString().padStart(TIME_DIGITS, "0")}`, pad };
}

/** The same as text in which the receiver fills in the time. */
export const PAYLOAD_TEMPLATE = JSON.stringify({ at: "@%t", pad });
