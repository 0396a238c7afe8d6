// Frames are counted from the bytes as they come, however they are cut.
import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameMeter } from "../../src/drivers/frame-meter.ts";
import { frame, OPCODES } from "./peer.ts";

/** Counts what is fed to a meter in these pieces. */
function metered(pieces: readonly Uint8Array[]): readonly [frames: number, control: number] {
  const meter = new FrameMeter();
  const all = pieces.map((piece) => meter.read(piece));
  return [
    all.reduce((sum, { frames }) => sum + frames, 0),
    all.reduce((sum, { controlFrames }) => sum + controlFrames, 0),
  ];
}

const kinds: readonly Buffer[] = [
  frame(""),
  frame("x"),
  frame("x".repeat(125)),
  frame("x".repeat(126)),
  frame("x".repeat(65_535)),
  frame("x".repeat(65_536)),
  frame("x".repeat(300), { opcode: OPCODES.binary }),
  frame("", { opcode: OPCODES.text, fin: false }),
  frame("", { opcode: OPCODES.continuation, fin: false }),
  frame("x", { opcode: OPCODES.continuation }),
  frame("", { opcode: OPCODES.ping }),
  frame("x".repeat(125), { opcode: OPCODES.pong }),
  frame(Buffer.from([3, 232]), { opcode: OPCODES.close }),
  frame("x", { masked: false }),
];

const isControl = (one: Buffer): boolean => ((one[0] as number) & 15) > OPCODES.close;

test.each(kinds.map((kind, index) => [index, kind] as const))(
  "a frame of kind %d is one, in one piece and in pieces of a byte",
  (_index, kind) => {
    const expected = [1, isControl(kind) ? 1 : 0];
    expect(metered([kind])).toEqual(expected);
    expect(metered(Array.from(kind, (byte) => Uint8Array.of(byte)))).toEqual(expected);
  },
);

test("frames behind one another are counted, wherever they are cut", () => {
  const pieces = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 12 });
  const cuts = fc.array(fc.nat({ max: 40 }), { maxLength: 30 });
  fc.assert(
    fc.property(pieces, cuts, (frames, lengths) => {
      const bytes = Buffer.concat(frames);
      const parts: Uint8Array[] = [];
      let at = 0;
      for (const length of lengths) {
        parts.push(bytes.subarray(at, at + length));
        at += length;
      }
      parts.push(bytes.subarray(at));
      expect(metered(parts)).toEqual([frames.length, frames.filter(isControl).length]);
    }),
  );
});

test("a frame that claims 2^63 bytes is one, and nothing is kept of it", () => {
  const huge = Buffer.from([0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4]);
  expect(metered([huge, Buffer.alloc(65_536), frame("")])).toEqual([1, 0]);
});

test("a message is partial from its first byte, and completed by its last frame's last byte", () => {
  const pieces = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(pieces, fc.nat({ max: 400 }), (frames, at) => {
      const bytes = Buffer.concat(frames);
      const cut = Math.min(at, bytes.length);
      const meter = new FrameMeter();
      for (const [from, to] of [
        [0, cut],
        [cut, bytes.length],
      ] as const) {
        const { isPartial, hasCompleted } = meter.read(bytes.subarray(from, to));
        expect({ isPartial, hasCompleted }).toEqual(stateAfter(frames, from, to));
      }
    }),
  );
});

/** The state at a place, and whether a message ended between two places, by the frames that were made. */
function stateAfter(frames: readonly Buffer[], from: number, to: number) {
  let end = 0;
  let isPartial = false;
  let hasCompleted = false;
  for (const one of frames) {
    const begin = end;
    end += one.length;
    if (begin < to && to < end) return { isPartial: true, hasCompleted };
    if (end > to) break;
    if (((one[0] as number) & 15) >= OPCODES.close) continue;
    isPartial = ((one[0] as number) & 0x80) === 0;
    if (!isPartial && end > from) hasCompleted = true;
  }
  return { isPartial, hasCompleted };
}
