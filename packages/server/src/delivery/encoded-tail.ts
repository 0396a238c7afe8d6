/**
 * The tail of a log in one encoding: lines behind one another in growing segments, made when
 * somebody first asks for them, and slices of them that all subscribers share.
 *
 * It knows bytes and offsets. Retention, and who is sent what, are decided elsewhere.
 */
import {
  carrying,
  type Codec,
  type Position,
  type Encoded,
  encodedBytes,
} from "@tailwire/protocol";
import type { Publication } from "../log/broker.ts";
import { frameOf, roomFor, writeInto } from "./framing.ts";
import type { Ports } from "../ports.ts";
import type { Retained } from "../log/retained.ts";
import { firstIndex } from "../support/search.ts";
import { SparseMap } from "../support/sparse.ts";

/** Segments grow with their channel, from this many bytes to that many. */
const SEGMENT_MIN = 1_024;
const SEGMENT_MAX = 65_536;

/** Slices kept at most, in slices of full size. */
const SLICES_KEPT = 4;

interface Segment {
  readonly bytes: Uint8Array;
  used: number;
}

interface Line {
  readonly publication: Publication;
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
}

/** Publications that follow one another in the log, as one WebSocket message. */
export interface Slice {
  readonly kind: "slice";
  readonly frame: Uint8Array;
  readonly first: Publication;
  readonly last: Publication;
  readonly count: number;
  /** Where whoever got it stands: one object for all of them. */
  readonly end: Position;
}

/** The facts about a slice that its bytes don't say. */
interface SliceFacts {
  readonly epoch: string;
  readonly first: Publication;
  readonly last: Publication;
  readonly count: number;
}

function sliceOf(frame: Uint8Array, { epoch, first, last, count }: SliceFacts): Slice {
  const end = { epoch, offset: last.offset, id: last.id };
  return { kind: "slice", frame, first, last, count, end };
}

/** Where a publication is encoded: once per encoding and node, whoever it is for. */
function encodePublication(codec: Codec, channel: string, publication: Publication): Encoded {
  const { id, timestamp, offset, event, publisher, data } = publication;
  return codec.encode({
    type: "publication",
    id,
    timestamp,
    channel,
    offset,
    event,
    publisher,
    ...carrying(data),
  });
}

/** One slice of the first publications of a page, for those who are behind the tail. */
export function encodePage(
  ports: Ports,
  codec: Codec,
  channel: string,
  epoch: string,
  publications: readonly [Publication, ...Publication[]],
  bytesMax: number,
): Slice {
  const lines: Encoded[] = [];
  let bytes = 0;
  let last = publications[0];
  let count = 0;
  for (const publication of publications) {
    const line = encodePublication(codec, channel, publication);
    const lineBytes = encodedBytes(line);
    if (count > 0 && bytes + lineBytes > bytesMax) break;
    lines.push(line);
    bytes += lineBytes;
    last = publication;
    count += 1;
  }
  return sliceOf(frameOf(ports, codec, lines), { epoch, first: publications[0], last, count });
}

export class EncodedTail {
  readonly #ports: Ports;
  readonly #codec: Codec;
  readonly #channel: string;
  readonly #epoch: string;
  readonly #sliceBytesMax: number;
  /** Slices of the log as it is now, by the offset they follow. */
  readonly #slices = new SparseMap<number, Slice>();
  #slicesBytes = 0;
  #lines: Line[] = [];
  #segment: Segment = { bytes: new Uint8Array(0), used: 0 };
  /** Offset of the last publication that has its line. */
  #encoded: number;

  constructor(
    ports: Ports,
    codec: Codec,
    channel: string,
    options: {
      readonly epoch: string;
      readonly sliceBytesMax: number;
      readonly startOffset: number;
    },
  ) {
    this.#ports = ports;
    this.#codec = codec;
    this.#channel = channel;
    this.#epoch = options.epoch;
    this.#sliceBytesMax = options.sliceBytesMax;
    this.#encoded = options.startOffset;
  }

  /**
   * The slice that follows `offset`; null where nothing does. Asked for the same offset again before
   * the log has grown, it gives the same bytes.
   */
  sliceAfter(offset: number, tail: Retained): Slice | null {
    if (tail.last !== this.#encoded) this.#catchUp(tail);
    const known = this.#slices.get(offset);
    if (known !== undefined) return known;
    const index = this.#indexAfter(offset);
    if (index === this.#lines.length) return null;
    return this.#remember(offset, this.#cut(index));
  }

  /**
   * Caches a slice. Subscribers near the tail share a few; one that replays the whole log must not
   * fill the cache.
   */
  #remember(offset: number, slice: Slice): Slice {
    if (this.#slicesBytes > SLICES_KEPT * this.#sliceBytesMax) this.#forgetSlices();
    this.#slices.set(offset, slice);
    this.#slicesBytes += slice.frame.length;
    return slice;
  }

  #forgetSlices(): void {
    this.#slices.clear();
    this.#slicesBytes = 0;
  }

  /** Encodes what the log has gained, and lets go of what it has trimmed. */
  #catchUp(tail: Retained): void {
    this.#forgetSlices();
    const trimmed = this.#indexAfter(tail.edge);
    if (trimmed > 0) this.#lines.splice(0, trimmed);
    for (const publication of tail.after(Math.max(this.#encoded, tail.edge)))
      this.#add(publication);
    this.#encoded = tail.last;
  }

  #add(publication: Publication): void {
    const line = encodePublication(this.#codec, this.#channel, publication);
    const segment = this.#segmentFor(roomFor(line));
    const start = segment.used;
    segment.used += writeInto(this.#ports, line, segment.bytes.subarray(start));
    this.#lines.push({ publication, segment, start, end: segment.used });
  }

  #segmentFor(bytes: number): Segment {
    const { bytes: current, used } = this.#segment;
    if (current.length - used < bytes) {
      const size = Math.min(SEGMENT_MAX, Math.max(SEGMENT_MIN, current.length * 2));
      this.#segment = { bytes: new Uint8Array(Math.max(size, bytes)), used: 0 };
    }
    return this.#segment;
  }

  #cut(index: number): Slice {
    const first = this.#lines[index] as Line;
    let last = first;
    let end = index + 1;
    for (; end < this.#lines.length; end += 1) {
      const line = this.#lines[end] as Line;
      if (line.segment !== first.segment) break;
      if (line.end - first.start > this.#sliceBytesMax) break;
      last = line;
    }
    const bytes = first.segment.bytes.subarray(first.start, last.end);
    return sliceOf(this.#ports.frame(bytes, this.#codec.format), {
      epoch: this.#epoch,
      first: first.publication,
      last: last.publication,
      count: end - index,
    });
  }

  #indexAfter(offset: number): number {
    return firstIndex(this.#lines, ({ publication }) => publication.offset > offset);
  }
}
