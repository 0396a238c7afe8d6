/**
 * The retained end of a log: publications in order, trimmed by count, bytes and age.
 *
 * Memory brokers keep their logs in it and nodes the tail they have seen. It knows offsets, not
 * epochs, and trims only when asked, so that whoever asks decides what time it is.
 */
import { type Publication, publicationBytes, type Retention } from "./brokers/contract.ts";

/** Trimmed entries are let go of in bulk once this many have piled up before the first. */
const COMPACT_AT = 1_024;

export class Retained {
  readonly #retention: Retention;
  #publications: (Publication | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  /** Offset of the last publication ever added, or where the log was when this began. */
  #last: number;
  /** Offset below which nothing is retained: the one before the first. */
  #edge: number;
  /** Id of the publication at the edge, where it is still known. */
  #edgeId: string | null;
  #lastTimestamp = 0;

  constructor(
    retention: Retention,
    start: { readonly offset: number; readonly id: string | null },
  ) {
    this.#retention = retention;
    this.#last = start.offset;
    this.#edge = start.offset;
    this.#edgeId = start.id;
  }

  get count(): number {
    return this.#publications.length - this.#head;
  }

  /** The offset right before the first retained publication: the oldest position to go on from. */
  get edge(): number {
    return this.#edge;
  }

  get last(): number {
    return this.#last;
  }

  get edgeId(): string | null {
    return this.#edgeId;
  }

  /** Id of the last publication, or of the edge where nothing is retained. */
  get lastId(): string | null {
    return this.#publications.at(-1)?.id ?? this.#edgeId;
  }

  get lastTimestamp(): number {
    return this.#lastTimestamp;
  }

  add(publication: Publication): void {
    this.#publications.push(publication);
    this.#bytes += publicationBytes(publication);
    this.#last = publication.offset;
    this.#lastTimestamp = publication.timestamp;
  }

  /** Drops what the retention doesn't cover at `now`, in Unix milliseconds. */
  trim(now: number): void {
    const { count, bytes, maxAgeMs } = this.#retention;
    const oldest = now - maxAgeMs;
    let first = this.#publications[this.#head];
    while (
      first !== undefined &&
      (this.count > count || this.#bytes > bytes || first.timestamp < oldest)
    ) {
      this.#bytes -= publicationBytes(first);
      this.#edge = first.offset;
      this.#edgeId = first.id;
      this.#publications[this.#head] = undefined;
      this.#head += 1;
      first = this.#publications[this.#head];
    }
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#publications.length) {
      this.#publications = this.#publications.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Whether `offset` and `id` name a place in here: known, or at the edge, with the same id. */
  holds(offset: number, id: string | null): boolean {
    if (offset < this.#edge || offset > this.#last) return false;
    const known = offset === this.#edge ? this.#edgeId : (this.at(offset)?.id ?? null);
    return id === null || known === null || known === id;
  }

  at(offset: number): Publication | undefined {
    const publication = this.#publications[this.#indexAfter(offset - 1)];
    return publication?.offset === offset ? publication : undefined;
  }

  /** What follows an offset, oldest first. */
  *after(offset: number): Generator<Publication> {
    for (let index = this.#indexAfter(offset); index < this.#publications.length; index += 1) {
      yield this.#publications[index] as Publication;
    }
  }

  /** What precedes an offset, newest first. */
  *before(offset: number): Generator<Publication> {
    for (let index = this.#indexAfter(offset - 1) - 1; index >= this.#head; index -= 1) {
      yield this.#publications[index] as Publication;
    }
  }

  /** The offset to start after, to get the last `count` publications. */
  back(count: number): number {
    const index = Math.max(this.#head, this.#publications.length - count);
    return index === this.#head
      ? this.#edge
      : (this.#publications[index - 1]?.offset ?? this.#edge);
  }

  /** The offset to start after, to get what was published at `timestamp` or later. */
  since(timestamp: number): number {
    let low = this.#head;
    let high = this.#publications.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#publications[middle] as Publication).timestamp < timestamp) low = middle + 1;
      else high = middle;
    }
    return this.back(this.#publications.length - low);
  }

  /** Index of the first publication with a higher offset. Offsets may have holes. */
  #indexAfter(offset: number): number {
    let low = this.#head;
    let high = this.#publications.length;
    // Without holes the place is known at once.
    const guess = this.#head + (offset - this.#edge);
    if (guess >= low && guess < high && this.#publications[guess]?.offset === offset + 1)
      return guess;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#publications[middle] as Publication).offset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
