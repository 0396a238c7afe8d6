/**
 * Scans MessagePack without building any value, so that hostile input is refused before it costs
 * memory. Finds where each message ends, and refuses one that is cut off, too deep or too large.
 *
 * It knows the format's heads (github.com/msgpack/msgpack/blob/master/spec.md), and no message.
 */
import * as PROTOCOL_LIMITS from "./limits.ts";

/** A value's head: bytes up to the next head, values that it contains, and whether it is a map. */
interface Head {
  readonly bytes: number;
  readonly values: number;
  readonly map: boolean;
}

/** The contents of a WebSocket message. */
export interface Scanned {
  /** The bytes of each message. */
  readonly parts: readonly Uint8Array[];
  /** Values in all of them, keys included. */
  readonly values: number;
}

/** The messages; null unless all bytes are whole maps, within the limits of number, depth and values. */
export function scanMessages(wire: Uint8Array, valuesMax: number): Scanned | null {
  const view = new DataView(wire.buffer, wire.byteOffset, wire.byteLength);
  const parts: Uint8Array[] = [];
  let values = 0;
  for (let at = 0; at < wire.length;) {
    const map = parts.length < PROTOCOL_LIMITS.batchMax ? mapAt(view, at, valuesMax) : null;
    if (map === null) return null;
    parts.push(wire.subarray(at, map.end));
    values += map.values;
    at = map.end;
  }
  return { parts, values };
}

/** The end and the values of the map at `start`; null where none is there, or it breaks a limit. */
function mapAt(
  view: DataView,
  start: number,
  valuesMax: number,
): { readonly end: number; readonly values: number } | null {
  if (headAt(view, start)?.map !== true) return null;
  /** Containers that aren't complete, the innermost last, with the values they lack. */
  const open: { left: number; readonly map: boolean }[] = [{ left: 1, map: false }];
  let at = start;
  let values = 0;
  for (;;) {
    const inner = open.at(-1);
    if (inner === undefined) return { end: at, values };
    if (inner.left === 0) {
      open.pop();
      continue;
    }
    const isKey = inner.map && inner.left % 2 === 0;
    inner.left -= 1;
    values += 1;
    if (values > valuesMax) return null;
    const head = headAt(view, at);
    if (head === null || (isKey && !isText(view.getUint8(at)))) return null;
    at += head.bytes;
    // A value takes a byte at least, so a head that claims more values than bytes lies.
    if (at > view.byteLength || head.values > view.byteLength - at) return null;
    if (head.values > 0) open.push({ left: head.values, map: head.map });
    // Two entries don't count as depth: the first holds the message, the second is the message itself.
    if (open.length > PROTOCOL_LIMITS.depthMax + 2) return null;
  }
}

function isText(byte: number): boolean {
  return (byte >= 0xa0 && byte <= 0xbf) || (byte >= 0xd9 && byte <= 0xdb);
}

const scalar = (bytes: number): Head => ({ bytes, values: 0, map: false });
const array = (bytes: number, values: number): Head => ({ bytes, values, map: false });
const map = (bytes: number, pairs: number): Head => ({ bytes, values: 2 * pairs, map: true });

/** The head at `at`; null at the end, or for a type that messages never have. */
function headAt(view: DataView, at: number): Head | null {
  if (at >= view.byteLength) return null;
  const byte = view.getUint8(at);
  if (byte < 0x80 || byte >= 0xe0) return scalar(1);
  if (byte < 0x90) return map(1, byte & 0x0f);
  if (byte < 0xa0) return array(1, byte & 0x0f);
  if (byte < 0xc0) return scalar(1 + (byte & 0x1f));
  const size = SIZES[byte - 0xc0] as Size;
  if (size === null) return null;
  if (typeof size === "number") return scalar(1 + size);
  const { lengthBytes, make } = size;
  if (at + lengthBytes >= view.byteLength) return null;
  const length =
    lengthBytes === 1
      ? view.getUint8(at + 1)
      : lengthBytes === 2
        ? view.getUint16(at + 1)
        : view.getUint32(at + 1);
  return make(1 + lengthBytes, length);
}

/** Bytes that follow, or the width of their number; null: extensions and the unused byte, refused. */
type Size =
  | number
  | null
  | {
      readonly lengthBytes: 1 | 2 | 4;
      readonly make: (headBytes: number, length: number) => Head;
    };

const blob = (headBytes: number, length: number): Head => scalar(headBytes + length);

/** Sizes by the head's first byte, 0xc0 to 0xdf. */
const SIZES: readonly Size[] = [
  // nil, never used, false, true
  0,
  null,
  0,
  0,
  // bin 8, 16, 32
  { lengthBytes: 1, make: blob },
  { lengthBytes: 2, make: blob },
  { lengthBytes: 4, make: blob },
  // ext 8, 16, 32
  null,
  null,
  null,
  // float 32, 64; uint 8 to 64; int 8 to 64
  4,
  8,
  1,
  2,
  4,
  8,
  1,
  2,
  4,
  8,
  // fixext 1 to 16
  null,
  null,
  null,
  null,
  null,
  // str 8, 16, 32
  { lengthBytes: 1, make: blob },
  { lengthBytes: 2, make: blob },
  { lengthBytes: 4, make: blob },
  // array 16, 32
  { lengthBytes: 2, make: array },
  { lengthBytes: 4, make: array },
  // map 16, 32
  { lengthBytes: 2, make: map },
  { lengthBytes: 4, make: map },
];
