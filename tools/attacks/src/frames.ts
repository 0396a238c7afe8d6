/** WebSocket frames made by hand (RFC 6455 §5.2), right ones and others. It knows no protocol message. */

export const OPCODES = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

export interface FrameOptions {
  readonly opcode?: number;
  readonly fin?: boolean;
}

/** A frame as a client sends it. Its mask is nothing but zeros, which leaves the payload as it is. */
export function frame(payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const { opcode = OPCODES.text, fin = true } = options;
  const bytes = Buffer.from(payload as string);
  const head = [(fin ? 0x80 : 0) | opcode];
  if (bytes.length < 126) head.push(0x80 | bytes.length);
  else if (bytes.length < 65_536) head.push(0x80 | 126, bytes.length >> 8, bytes.length & 0xff);
  else throw new RangeError("frames of 64 KiB and more aren't needed here");
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), bytes]);
}

/** A message in so many fragments with the same payload each. */
export function fragments(count: number, payload: string): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) =>
      frame(payload, {
        opcode: index === 0 ? OPCODES.text : OPCODES.continuation,
        fin: index === count - 1,
      }),
    ),
  );
}

/** The same bytes over and over, until there are so many. */
export function repeated(bytes: Buffer, length: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(length / bytes.length) }, () => bytes));
}
