/**
 * Counts the frames that a peer sends, from the bytes as they come: `ws` tells of messages only, and
 * fragments, empty ones too, take time as well. It reads frames' heads (RFC 6455 §5.2) and skips the
 * rest; whether they are right is for `ws` to say.
 */

/** Frames counted in a piece of input. */
export interface Metered {
  /** Frames whose head is complete now. */
  frames: number;
  /** Pings and pongs among those frames. */
  controlFrames: number;
  /** Whether a message, or a frame of one, has come in part. */
  isPartial: boolean;
  /** Whether a message was completed, by the last byte of its last frame. */
  hasCompleted: boolean;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** The longest head: two bytes, eight for the length, four for the mask. */
const HEAD_BYTES_MAX = 14;

/** Opcodes of control frames begin here: close, and behind it pings and pongs. */
const CLOSE = 0x8;
const PING = 0x9;

/** The bit of a message's last frame. */
const FIN = 0x80;

export class FrameMeter {
  /** Bytes of the current frame that are still to come. */
  #left = 0;
  /** The beginning of a head that isn't complete. */
  #head: Uint8Array = NOTHING;
  /** Whether a message is complete with the current frame's last byte. */
  #ends = false;
  /** Whether fragments of a message have come, and its last one hasn't. */
  #isFragmented = false;

  /** Counts what begins in the next piece of input. */
  read(input: Uint8Array): Metered {
    const metered: Metered = { frames: 0, controlFrames: 0, isPartial: false, hasCompleted: false };
    const piece = this.#head.length > 0 ? this.#completed(input, metered) : input;
    let at = this.#left;
    // In variables: a peer may send as many frames as there are bytes.
    let frames = 0;
    let controlFrames = 0;
    let ends = this.#ends;
    if (ends && at <= piece.length) {
      ends = false;
      metered.hasCompleted = true;
    }
    while (at < piece.length) {
      const end = endOfFrame(piece, at);
      if (end === null) break;
      const first = piece[at] as number;
      const opcode = first & 0x0f;
      frames += 1;
      if (opcode >= PING) controlFrames += 1;
      if (opcode < CLOSE) {
        ends = (first & FIN) !== 0;
        this.#isFragmented = !ends;
      }
      at = end;
      if (ends && at <= piece.length) {
        ends = false;
        metered.hasCompleted = true;
      }
    }
    this.#ends = ends;
    metered.frames += frames;
    metered.controlFrames += controlFrames;
    this.#left = Math.max(0, at - piece.length);
    // A copy: what isn't read yet must not keep all that it came with.
    if (at < piece.length) this.#head = Uint8Array.prototype.slice.call(piece, at);
    metered.isPartial = this.#left > 0 || this.#head.length > 0 || this.#isFragmented;
    return metered;
  }

  /** Completes a head that was cut, and gives what follows it. */
  #completed(piece: Uint8Array, metered: Metered): Uint8Array {
    const known = this.#head.length;
    const missing = piece.subarray(0, HEAD_BYTES_MAX - known);
    const head = new Uint8Array(known + missing.length);
    head.set(this.#head);
    head.set(missing, known);
    const end = endOfFrame(head, 0);
    if (end === null) {
      this.#head = head;
      return NOTHING;
    }
    this.#count(head, 0, metered);
    this.#head = NOTHING;
    this.#left = end - known;
    return piece;
  }

  #count(bytes: Uint8Array, at: number, metered: Metered): void {
    const first = bytes[at] as number;
    const opcode = first & 0x0f;
    metered.frames += 1;
    if (opcode >= PING) metered.controlFrames += 1;
    if (opcode >= CLOSE) return;
    this.#ends = (first & FIN) !== 0;
    this.#isFragmented = !this.#ends;
  }
}

/** Where the frame that begins at a place ends; null where its head isn't complete. */
function endOfFrame(bytes: Uint8Array, at: number): number | null {
  if (bytes.length - at < 2) return null;
  const second = bytes[at + 1] as number;
  const short = second & 0x7f;
  const lengthBytes = short < 126 ? 0 : short === 126 ? 2 : 8;
  const headBytes = 2 + lengthBytes + (second & 0x80 ? 4 : 0);
  if (bytes.length - at < headBytes) return null;
  let length = lengthBytes === 0 ? short : 0;
  for (let index = 0; index < lengthBytes; index += 1) {
    length = length * 256 + (bytes[at + 2 + index] as number);
  }
  return at + headBytes + length;
}
