/** The server's ports on Node: its clock, its dice, its hashes, and WebSocket framing. */
import { createHash, randomBytes } from "node:crypto";
import type { Clock, Random } from "@tailwire/protocol";
import type { Ports } from "../ports.ts";

/** Timers never keep the process alive: the sockets that they serve do. */
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref();
    return () => clearTimeout(timer);
  },
  soon: (callback) => {
    setImmediate(callback);
  },
};

const random: Random = {
  fraction: () => Math.random(),
  token: () => randomBytes(16).toString("base64url"),
};

const encoder = new TextEncoder();

export const nodePorts: Ports = {
  clock,
  random,
  digest: (text) => createHash("sha256").update(text).digest("base64url").slice(0, 22),
  encodeInto: (text, target) => encoder.encodeInto(text, target),
  abort: () => new AbortController(),
  frame: textFrame,
};

/** FIN and the opcode of a text message, RFC 6455 §5.2. Servers don't mask. */
const FIN_TEXT = 0x81;

/** A whole WebSocket text message, ready for a socket. */
function textFrame(payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerLength + length);
  frame[0] = FIN_TEXT;
  if (headerLength === 2) {
    frame[1] = length;
  } else if (headerLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(payload, headerLength);
  return frame;
}
