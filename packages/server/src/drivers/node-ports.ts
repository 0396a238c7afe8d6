/** The server's ports on Node: its clock, its dice, its hashes, and WebSocket framing. */
import { createHash, randomBytes } from "node:crypto";
import type { Clock, Random } from "@tailwire/protocol";
import type { Ports } from "../ports.ts";

/** The longest wait of `setTimeout`, 24.8 days: it takes longer ones, and NaN, for one millisecond. */
const TIMER_MS_MAX = 2_147_483_647;

/** Timers never keep the process alive: the sockets that they serve do. */
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const isLast = leftMs <= TIMER_MS_MAX;
      const step = isLast ? callback : () => wait(leftMs - TIMER_MS_MAX);
      // A fraction would be cut off, and the timer be early. NaN is never over.
      timer = setTimeout(step, isLast ? Math.ceil(leftMs) : TIMER_MS_MAX).unref();
    };
    wait(ms);
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
  // Encode 16 bytes instead of slicing the text: V8's sliced strings keep the whole parent alive.
  digest: (text) => createHash("sha256").update(text).digest().toString("base64url", 0, 16),
  encodeInto: (text, target) => encoder.encodeInto(text, target),
  abort: () => new AbortController(),
  frame,
};

/** FIN and the opcode, RFC 6455 §5.2. Servers don't mask. */
const FIRST_BYTES = { text: 0x81, binary: 0x82 };

/** A whole WebSocket message, ready for a socket. */
function frame(payload: Uint8Array, format: "text" | "binary"): Uint8Array {
  const { length } = payload;
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const framed = Buffer.allocUnsafe(headerLength + length);
  framed[0] = FIRST_BYTES[format];
  if (headerLength === 2) {
    framed[1] = length;
  } else if (headerLength === 4) {
    framed[1] = 126;
    framed.writeUInt16BE(length, 2);
  } else {
    framed[1] = 127;
    framed.writeBigUInt64BE(BigInt(length), 2);
  }
  framed.set(payload, headerLength);
  return framed;
}
