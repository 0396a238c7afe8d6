/**
 * Bytes of what a codec has encoded: into WebSocket frames, and into buffers that are shared.
 *
 * It knows neither messages nor sockets.
 */
import type { Codec, Encoded } from "@tailwire/protocol";
import type { Ports } from "../ports.ts";

/** One WebSocket message of several encoded ones. */
export function frameOf(ports: Ports, codec: Codec, encoded: readonly Encoded[]): Uint8Array {
  const wire = codec.join(encoded);
  const bytes = new Uint8Array(roomFor(wire));
  return ports.frame(bytes.subarray(0, writeInto(ports, wire, bytes)), codec.format);
}

/** Bytes that are enough for it: a UTF-16 unit takes three in UTF-8 at most. */
export function roomFor(wire: Encoded): number {
  return typeof wire === "string" ? wire.length * 3 : wire.length;
}

/** Writes it to the beginning of a buffer, and says how many bytes that took. */
export function writeInto(ports: Ports, wire: Encoded, target: Uint8Array): number {
  if (typeof wire === "string") return ports.encodeInto(wire, target).written;
  target.set(wire);
  return wire.length;
}
