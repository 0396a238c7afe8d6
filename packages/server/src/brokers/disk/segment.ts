/** A segment: a file of records, and reading publications from the places where they are stored. */
import type { Publication } from "../../log/broker.ts";
import type { Kept } from "../../log/retained.ts";
import { publicationOf } from "./contents.ts";
import { damageAt } from "./directory-error.ts";
import type { OpenFile } from "./files.ts";
import { type FoundRecord, recordAt } from "./records.ts";

/** Where a publication is stored. It moves when it is copied into a later segment. */
export interface Place extends Kept {
  /** Bytes, as retention and pages count them. */
  readonly size: number;
  segment: Segment;
  at: number;
  /** Bytes of its record. */
  readonly length: number;
}

/** Two publications are read at once where no more bytes than these lie between them. */
const HOLE_MAX = 16_384;
/** Bytes that are read at once: more only where a publication has more. */
const SPAN_MAX = 1_048_576;

export class Segment {
  readonly name: string;
  readonly file: OpenFile;
  readonly salt: number;
  /** Bytes that are synced: the next group begins here. */
  size: number;
  #readers = 0;
  #isRetired = false;

  constructor(name: string, file: OpenFile, salt: number, size: number) {
    this.name = name;
    this.file = file;
    this.salt = salt;
    this.size = size;
  }

  /** Keeps the file open until the matching {@link release}. */
  hold(): void {
    this.#readers += 1;
  }

  release(): void {
    this.#readers -= 1;
    this.#closeUnused();
  }

  /** Closes the file as soon as nobody reads it. */
  retire(): void {
    this.#isRetired = true;
    this.#closeUnused();
  }

  #closeUnused(): void {
    // Nothing was written that isn't synced, so a close that fails loses nothing.
    if (this.#isRetired && this.#readers === 0) this.file.close().catch(() => undefined);
  }
}

/** A part of a segment that is read at once, with the places in it as they were when it was planned. */
interface Span {
  readonly segment: Segment;
  readonly at: number;
  end: number;
  readonly starts: number[];
}

/** The publications at places. @throws Error of the file system, or of a damaged file, which it names. */
export async function publicationsAt(places: readonly Place[]): Promise<readonly Publication[]> {
  return (await recordsAt(places)).map(publicationOf);
}

/** The records at places, as {@link publicationsAt} reads them. */
export async function recordsAt(places: readonly Place[]): Promise<readonly FoundRecord[]> {
  const spans = spansOf(places);
  for (const { segment } of spans) segment.hold();
  try {
    const records: FoundRecord[] = [];
    for (const span of spans) records.push(...(await recordsIn(span)));
    return records;
  } finally {
    for (const { segment } of spans) segment.release();
  }
}

function spansOf(places: readonly Place[]): readonly Span[] {
  const spans: Span[] = [];
  for (const { segment, at, length } of places) {
    const span = spans.at(-1);
    const fits =
      span?.segment === segment &&
      at >= span.end &&
      at - span.end <= HOLE_MAX &&
      at + length - span.at <= SPAN_MAX;
    if (span !== undefined && fits) {
      span.end = at + length;
      span.starts.push(at);
    } else {
      spans.push({ segment, at, end: at + length, starts: [at] });
    }
  }
  return spans;
}

async function recordsIn({ segment, at, end, starts }: Span): Promise<readonly FoundRecord[]> {
  const bytes = await segment.file.read(at, end - at);
  return starts.map((start) => {
    const record = recordAt(bytes, start - at, segment.salt);
    if (record === null) throw damageAt(segment.name, start);
    return record;
  });
}
