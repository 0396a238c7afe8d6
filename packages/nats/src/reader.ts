/**
 * The reading of one channel's log, as of its last record: places are looked for in the stream, and what is
 * retained is worked out from the counts that each record carries. Nothing is kept.
 *
 * It doesn't know how a log grows, and reads no clock.
 */
import type { Position, Start } from "@tailwire/protocol";
import {
  type LogGap,
  type PageLimit,
  type Publication,
  publicationBytes,
  type ReadResult,
  type Retention,
} from "@tailwire/server/broker-contract";
import { bytesOf, lastIdOf, lastOf, publicationsOf, type StoredRecord } from "./record.ts";
import type { LogStream } from "./stream.ts";

/** Records asked for at once, at most. */
const RECORDS_AT_ONCE = 256;

/** How far before the end a search begins to step back, in sequences of the stream. */
const FIRST_STEP = 32;
const STEP_FACTOR = 8;

/** A publication's place in the log, as far as retention looks at it. */
interface Place {
  readonly offset: number;
  /** Bytes of all publications before it. */
  readonly bytesBefore: number;
  readonly timestamp: number;
}

/** A publication that was found: a record, and the publication's index in it. */
interface Found extends Place {
  readonly record: StoredRecord;
  /** The number of entries, where the record has none. */
  readonly index: number;
}

/** Holds for a place and then for all that follow. */
type IsIn = (place: Place) => boolean;

export class LogReader {
  readonly #stream: LogStream;
  readonly #token: string;
  readonly #head: StoredRecord;
  readonly #last: number;
  readonly #bytes: number;
  readonly #retention: Retention;
  readonly #now: number;

  /** `head` is the channel's last record, `now` Unix milliseconds. */
  constructor(
    stream: LogStream,
    token: string,
    head: StoredRecord,
    retention: Retention,
    now: number,
  ) {
    this.#stream = stream;
    this.#token = token;
    this.#head = head;
    this.#last = lastOf(head);
    this.#bytes = bytesOf(head);
    this.#retention = retention;
    this.#now = now;
  }

  /** As the broker's `read`. */
  async read(after: Position, limit: PageLimit): Promise<ReadResult> {
    const { epoch } = this.#head;
    const next = await this.#first(({ offset }) => offset > after.offset);
    const gap = await this.#gapAt(after, next, true);
    if (gap === null) {
      return { kind: "publications", epoch, publications: await this.#page(next, limit) };
    }
    const { offset: edge } = gap.continuesAfter;
    const rest = await this.#first(({ offset }) => offset > edge);
    return { kind: "gap", gap, publications: await this.#page(rest, limit) };
  }

  /** As the broker's `readBack`. */
  async readBack(before: Position | null, limit: PageLimit): Promise<ReadResult> {
    const { epoch } = this.#head;
    const end = before?.offset ?? this.#last + 1;
    const next = await this.#first(({ offset }) => offset > end);
    const gap = before === null ? null : await this.#gapAt(before, next, false);
    if (gap !== null) return { kind: "gap", gap, publications: [] };
    const bytes = (await this.#first(({ offset }) => offset >= end))?.bytesBefore ?? this.#bytes;
    const fits = ({ offset, bytesBefore }: Place): boolean =>
      offset >= end - limit.count && (bytes - bytesBefore <= limit.bytes || offset >= end - 1);
    const start = await this.#first((place) => this.#isRetained(place) && fits(place));
    const count = end - (start?.offset ?? end);
    const publications = await this.#page(start, { count, bytes: Infinity });
    return { kind: "publications", epoch, publications };
  }

  /** As the broker's `locate`. */
  async locate(start: Exclude<Start, Position>): Promise<Position> {
    if (start === "latest") return this.latest();
    if (start === "earliest") return this.#edge();
    const { rewind } = start;
    const isWanted: IsIn =
      "count" in rewind
        ? ({ offset }) => offset > this.#last - rewind.count
        : ({ timestamp }) => timestamp >= this.#now - rewind.ageMs;
    return this.#before(await this.#first((place) => this.#isRetained(place) && isWanted(place)));
  }

  /** Sequence of the last record. */
  get sequence(): number {
    return this.#head.sequence;
  }

  /** The log's last position. */
  latest(): Position {
    return { epoch: this.#head.epoch, offset: this.#last, id: lastIdOf(this.#head) };
  }

  /** Sequence of the first record that isn't older; of the last one where all are. */
  async sequenceSince(timestamp: number): Promise<number> {
    const record = await this.#firstRecord((one) => one.timestamp >= timestamp);
    return record?.sequence ?? this.#head.sequence;
  }

  /** Sequence of the first record that retention needs; of the last one where it needs none. */
  async sequenceOfEdge(): Promise<number> {
    const found = await this.#first((place) => this.#isRetained(place));
    return found?.record.sequence ?? this.#head.sequence;
  }

  /** The gap at a position, behind which `next` was found. */
  async #gapAt(after: Position, next: Found | null, seesTrimmed: boolean): Promise<LogGap | null> {
    if (after.epoch !== this.#head.epoch) {
      const shared = this.#sharedWith(after.epoch);
      if (shared === null) return gap("epoch", await this.#edge());
      if (after.offset > shared) return gap("diverged", await this.#behind(shared));
    }
    if (after.offset > this.#last) return gap("ahead", this.latest());
    if (next !== null && (next.offset > after.offset + 1 || !this.#isRetained(next))) {
      const edge = await this.#edge();
      if (after.offset < edge.offset) {
        return seesTrimmed ? gap("trimmed", edge, edge.offset - after.offset) : null;
      }
    }
    const { id } = this.#before(next);
    const isSame = id === null || after.id === null || after.id === id;
    return isSame ? null : gap("diverged", await this.#edge());
  }

  /** The last offset that the log shares with an earlier epoch; null where that isn't one of its own. */
  #sharedWith(epoch: string): number | null {
    let shared = Infinity;
    for (const [ancestor, last] of this.#head.lineage) {
      shared = Math.min(shared, last);
      if (ancestor === epoch) return shared;
    }
    return null;
  }

  /** The position at an offset, or the edge where that lies behind it. */
  async #behind(shared: number): Promise<Position> {
    return this.#before(
      await this.#first((place) => place.offset > shared && this.#isRetained(place)),
    );
  }

  /** The position right before the first publication that is retained. */
  async #edge(): Promise<Position> {
    return this.#before(await this.#first((place) => this.#isRetained(place)));
  }

  #isRetained({ offset, bytesBefore, timestamp }: Place): boolean {
    const { count, bytes, maxAgeMs } = this.#retention;
    return (
      offset > this.#last - count &&
      (this.#bytes - bytesBefore <= bytes || offset >= this.#last) &&
      timestamp >= this.#now - maxAgeMs
    );
  }

  /** The position right before a publication; the last one where there is none. */
  #before(found: Found | null): Position {
    if (found === null) return this.latest();
    const { record, index, offset } = found;
    const id = index === 0 ? record.idBefore : (record.entries[index - 1]?.id ?? null);
    return { epoch: this.#head.epoch, offset: offset - 1, id };
  }

  /** As many publications as a page may carry: one at least, however large. */
  async #page(start: Found | null, limit: PageLimit): Promise<readonly Publication[]> {
    const publications: Publication[] = [];
    if (start === null || limit.count <= 0) return publications;
    let bytes = 0;
    for await (const record of this.#recordsFrom(start.record, limit.count)) {
      for (const publication of publicationsOf(record)) {
        if (publication.offset < start.offset) continue;
        bytes += publicationBytes(publication);
        if (bytes > limit.bytes && publications.length > 0) return publications;
        publications.push(publication);
        if (publications.length === limit.count) return publications;
      }
    }
    return publications;
  }

  async *#recordsFrom(first: StoredRecord, count: number): AsyncGenerator<StoredRecord> {
    yield first;
    const { sequence: end } = this.#head;
    // The records of a log are alike, mostly.
    const records = Math.ceil(count / Math.max(1, first.entries.length));
    const atOnce = Math.min(records, RECORDS_AT_ONCE);
    yield* this.#stream.records(this.#token, first.sequence + 1, end, atOnce);
  }

  /** The first publication that the condition holds for. */
  async #first(isIn: IsIn): Promise<Found | null> {
    const record = await this.#firstRecord((one) => isIn(placesOf(one).at(-1) as Found));
    if (record === null) return null;
    return placesOf(record).find(isIn) ?? null;
  }

  /** Steps back from the end until the condition doesn't hold, and halves what lies between. */
  async #firstRecord(isIn: (record: StoredRecord) => boolean): Promise<StoredRecord | null> {
    let best = this.#head;
    if (!isIn(best)) return null;
    let low = 1;
    let high = best.sequence;
    let step = FIRST_STEP;
    while (low < high) {
      // Until one is found that the condition doesn't hold for, only the end is known.
      const isStepping = low === 1 && high > step;
      const middle = isStepping ? high - step : Math.floor((low + high) / 2);
      const record = await this.#next(middle);
      if (isIn(record)) {
        best = record;
        high = middle;
      } else {
        low = record.sequence + 1;
      }
      step *= STEP_FACTOR;
    }
    return best;
  }

  async #next(from: number): Promise<StoredRecord> {
    const record = await this.#stream.next(this.#token, from);
    if (record === null) throw new Error("the log was emptied while it was read");
    return record;
  }
}

/** A record's publications; for one without any, the place where the next one will be. */
function placesOf(record: StoredRecord): readonly Found[] {
  const { first, timestamp, entries } = record;
  let { bytesBefore } = record;
  const places: Found[] = [];
  for (const [index, entry] of entries.entries()) {
    places.push({ record, index, offset: first + index, bytesBefore, timestamp });
    bytesBefore += publicationBytes(entry);
  }
  if (places.length > 0) return places;
  return [{ record, index: 0, offset: first, bytesBefore, timestamp }];
}

function gap(reason: LogGap["reason"], to: Position, lost: number | null = null): LogGap {
  return { reason, to, continuesAfter: to, lost };
}
