/** WebSocket frames as a client writes them, and what a server's bytes say. No message is known here. */
import type { Dice } from "@tailwire/simulation";

export interface FrameChanges {
  readonly first?: number;
  readonly mask?: boolean;
  readonly claims?: number;
}

export function frame(
  opcode: number,
  payload: Buffer,
  { first, mask = true, claims }: FrameChanges,
  dice: Dice,
): Buffer {
  const key = Buffer.from([1, 2, 3, 4].map(() => dice.below(256)));
  const length = claims ?? payload.length;
  const bit = mask ? 0x80 : 0;
  const head = [first ?? 0x80 | opcode];
  if (length < 126) head.push(bit | length);
  else if (length < 65_536) head.push(bit | 126, length >> 8, length & 255);
  else {
    const wide = Buffer.alloc(8);
    wide.writeBigUInt64BE(BigInt(length));
    head.push(bit | 127, ...wide);
  }
  const masked = Buffer.from(payload.map((byte, at) => (mask ? byte ^ (key[at % 4] ?? 0) : byte)));
  return Buffer.concat([Buffer.from(head), mask ? key : Buffer.alloc(0), masked]);
}

/** One frame of a server's, whole. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The frames that begin at a place and are complete, and where what isn't complete begins. */
export function framesIn(
  received: Buffer,
  from: number,
): { readonly frames: readonly ServerFrame[]; readonly rest: number } {
  const frames: ServerFrame[] = [];
  let rest = from;
  while (rest + 2 <= received.length) {
    let length = received.readUInt8(rest + 1) & 127;
    const head = rest + (length < 126 ? 2 : length === 126 ? 4 : 10);
    if (head > received.length) break;
    if (length === 126) length = received.readUInt16BE(rest + 2);
    else if (length === 127) length = Number(received.readBigUInt64BE(rest + 2));
    if (head + length > received.length) break;
    const opcode = received.readUInt8(rest) & 15;
    frames.push({ opcode, payload: received.subarray(head, head + length) });
    rest = head + length;
  }
  return { frames, rest };
}

/** The code that a close carries; undefined where there is no close, or none in it. */
export function closeCode(frames: readonly ServerFrame[]): string | undefined {
  const close = frames.find(({ opcode }) => opcode === 8);
  if (close === undefined) return undefined;
  return close.payload.length < 2 ? "no code" : String(close.payload.readUInt16BE(0));
}
