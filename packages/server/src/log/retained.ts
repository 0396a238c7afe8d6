/**
 * The retained end of a log: publications in order, trimmed by count, bytes and age.
 *
 * Memory brokers keep their logs in it and nodes the tail they have seen. It knows offsets, not
 * epochs, and trims only when asked, so that whoever asks decides what time it is.
 */
import { type Publication, publicationBytes, type Retention } from "./broker.ts";
import { firstIndex } from "../support/search.ts";

/** Trimmed entries are let go of in bulk once this many have piled up before the first. */
const COMPACT_AT = 1_024;

/** The part of an entry that is looked at: a publication's, or that of a place where one is stored. */
export type Kept = Pick<Publication, "id" | "offset" | "timestamp">;

/** Publications that were added, and how many of them are left. */
interface Entries<Entry> {
  publications: (Entry | undefined)[];
  /** Index of the first that isn't trimmed. */
  head: number;
  bytes: number;
  /** Bytes of all that were ever added. */
  bytesAdded: number;
  lastTimestamp: number;
  /** Whether the edge is where count or bytes of the retention have put it. */
  isCut: boolean;
}

/** Where nothing was added: read by all, written by nobody. */
const NOTHING: Pick<Readonly<Entries<never>>, "publications" | "head"> = {
  publications: [],
  head: 0,
};

function newEntries<Entry>(): Entries<Entry> {
  return { publications: [], head: 0, bytes: 0, bytesAdded: 0, lastTimestamp: 0, isCut: false };
}

export class RetainedEntries<Entry extends Kept> {
  readonly #retention: Retention;
  readonly #sizeOf: (entry: Entry) => number;
  /** Made with the first publication: a channel has two of these, and most channels are quiet. */
  #entries: Entries<Entry> | null = null;
  /** Offset below which nothing is retained: the one before the first. */
  #edge: number;
  /** Id of the publication at the edge, where it is still known. */
  #edgeId: string | null;

  /** `sizeOf` gives an entry's bytes, as {@link publicationBytes} counts them. */
  constructor(
    retention: Retention,
    start: { readonly offset: number; readonly id: string | null },
    sizeOf: (entry: Entry) => number,
  ) {
    this.#retention = retention;
    this.#sizeOf = sizeOf;
    this.#edge = start.offset;
    this.#edgeId = start.id;
  }

  get count(): number {
    const { publications, head } = this.#entries ?? NOTHING;
    return publications.length - head;
  }

  /** The offset right before the first retained publication: the oldest position to go on from. */
  get edge(): number {
    return this.#edge;
  }

  /** Offset of the last publication ever added, or where the log was when this began. */
  get last(): number {
    return this.#edge + this.count;
  }

  /** Bytes of all publications that were ever added. */
  get bytesAdded(): number {
    return this.#entries?.bytesAdded ?? 0;
  }

  get edgeId(): string | null {
    return this.#edgeId;
  }

  /** Id of the last publication, or of the edge where nothing is retained. */
  get lastId(): string | null {
    return this.#entries?.publications.at(-1)?.id ?? this.#edgeId;
  }

  get lastTimestamp(): number {
    return this.#entries?.lastTimestamp ?? 0;
  }

  /** Adds the entry whose offset follows {@link last}. */
  add(publication: Entry): void {
    const bytes = this.#sizeOf(publication);
    this.#entries ??= newEntries();
    this.#entries.publications.push(publication);
    this.#entries.bytes += bytes;
    this.#entries.bytesAdded += bytes;
    this.#entries.lastTimestamp = publication.timestamp;
  }

  /**
   * Drops what the retention doesn't cover at `now`, in Unix milliseconds, and what is more than
   * `bytesMax`. For its bytes the newest isn't dropped: one that is too large would reach nobody.
   * Within `bytesMax`, what follows the offset `keptAfter` stays however much it is, and what follows
   * `keptOfAnyAgeAfter` however old.
   */
  trim(now: number, bytesMax = Infinity, keptAfter = Infinity, keptOfAnyAgeAfter = Infinity): void {
    const entries = this.#entries;
    if (entries === null) return;
    const { count, bytes, maxAgeMs } = this.#retention;
    const oldest = now - maxAgeMs;
    let first = entries.publications[entries.head];
    while (first !== undefined) {
      const { offset, timestamp } = first;
      const isLast = this.count === 1;
      const isBeyond = this.count > count || (entries.bytes > bytes && !isLast);
      const isTooMuch = entries.bytes > bytesMax && !isLast;
      const isTooOld = timestamp < oldest && offset <= keptOfAnyAgeAfter;
      if (!isTooMuch && !isTooOld && !(isBeyond && offset <= keptAfter)) break;
      entries.isCut = isBeyond;
      entries.bytes -= this.#sizeOf(first);
      this.#edge = offset;
      this.#edgeId = first.id;
      entries.publications[entries.head] = undefined;
      entries.head += 1;
      first = entries.publications[entries.head];
    }
    if (entries.head >= COMPACT_AT && entries.head * 2 >= entries.publications.length) {
      entries.publications = entries.publications.slice(entries.head);
      entries.head = 0;
    }
  }

  /**
   * How many publications lie between an offset and the edge, where count or bytes of the retention have
   * put the edge, so that no broker has them either. Null where that isn't known.
   */
  lostAfter(offset: number): number | null {
    return offset < this.#edge && this.#entries?.isCut === true ? this.#edge - offset : null;
  }

  /** Whether `offset` and `id` name a place in here: known, or at the edge, with the same id. */
  holds(offset: number, id: string | null): boolean {
    if (offset < this.#edge || offset > this.last) return false;
    const known = offset === this.#edge ? this.#edgeId : (this.at(offset)?.id ?? null);
    return id === null || known === null || known === id;
  }

  at(offset: number): Entry | undefined {
    if (offset <= this.#edge) return undefined;
    return this.#entries?.publications[this.#indexAfter(offset - 1)];
  }

  /** Publications that follow an offset, oldest first. */
  *after(offset: number): Generator<Entry> {
    const entries = this.#entries ?? NOTHING;
    for (let index = this.#indexAfter(offset); index < entries.publications.length; index += 1) {
      yield entries.publications[index] as Entry;
    }
  }

  /** Publications that precede an offset, newest first. */
  *before(offset: number): Generator<Entry> {
    const entries = this.#entries ?? NOTHING;
    for (let index = this.#indexAfter(offset - 1) - 1; index >= entries.head; index -= 1) {
      yield entries.publications[index] as Entry;
    }
  }

  /** The offset to start after, to get the last `count` publications. */
  back(count: number): number {
    return Math.max(this.#edge, this.last - count);
  }

  /** The offset to start after, to get what was published at `timestamp` or later. */
  since(timestamp: number): number {
    const { publications, head } = this.#entries ?? NOTHING;
    return this.#edge + firstIndex(publications, (one) => one.timestamp >= timestamp, head) - head;
  }

  /** Index of the first publication with a higher offset, or the number of all. */
  #indexAfter(offset: number): number {
    const { publications, head } = this.#entries ?? NOTHING;
    return Math.min(publications.length, head + Math.max(0, offset - this.#edge));
  }
}

/** The same, of publications themselves. */
export class Retained extends RetainedEntries<Publication> {
  constructor(
    retention: Retention,
    start: { readonly offset: number; readonly id: string | null },
  ) {
    super(retention, start, publicationBytes);
  }
}
