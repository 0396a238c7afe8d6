/**
 * A log as a broker keeps it in one process: its epoch, what it retains, and the answers to questions about
 * places in it. Its entries are publications, or the places where those are stored.
 *
 * It doesn't know how a log grows, and reads no clock.
 */
import type { Position, Start } from "@tailwire/protocol";
import type { LogGap, PageLimit, Publication, ReadResult, Retention } from "./broker.ts";
import { type Kept, RetainedEntries } from "./retained.ts";

/** Entries, or the gap at a position with the entries that follow it. */
export interface KeptPage<Entry> {
  readonly gap: LogGap | null;
  /** In the log's order. */
  readonly entries: readonly Entry[];
}

/** The name of a log, and the place where it begins. */
export interface KeptStart {
  readonly epoch: string;
  readonly offset: number;
  readonly id: string | null;
}

export class KeptLog<Entry extends Kept> {
  readonly epoch: string;
  readonly retained: RetainedEntries<Entry>;
  readonly #sizeOf: (entry: Entry) => number;
  /** The last position that was given: all that ask for the same place share it. */
  #lastPosition: Position | null = null;

  constructor(retention: Retention, start: KeptStart, sizeOf: (entry: Entry) => number) {
    this.epoch = start.epoch;
    this.retained = new RetainedEntries(retention, start, sizeOf);
    this.#sizeOf = sizeOf;
  }

  /** The entries right after a position, as of `now` in Unix milliseconds. */
  pageAfter(after: Position, limit: PageLimit, now: number): KeptPage<Entry> {
    this.retained.trim(now);
    const gap = this.#gapAt(after);
    const { offset } = gap?.continuesAfter ?? after;
    return { gap, entries: this.#firstOf(this.retained.after(offset), limit) };
  }

  /** The newest entries before a position, or with null before the end. */
  pageBefore(before: Position | null, limit: PageLimit, now: number): KeptPage<Entry> {
    this.retained.trim(now);
    const gap = before === null ? null : this.#gapAt(before);
    // Nothing is left before what was trimmed, which is no news to whoever reads back.
    if (gap !== null && gap.reason !== "trimmed") return { gap, entries: [] };
    const newest = this.#firstOf(this.retained.before(before?.offset ?? Infinity), limit);
    return { gap: null, entries: newest.toReversed() };
  }

  locate(start: Exclude<Start, Position>, now: number): Position {
    this.retained.trim(now);
    if (start === "latest") return this.position(this.retained.last);
    if (start === "earliest") return this.position(this.retained.edge);
    return this.position(
      "count" in start.rewind
        ? this.retained.back(start.rewind.count)
        : this.retained.since(now - start.rewind.ageMs),
    );
  }

  position(offset: number): Position {
    const { edge, edgeId } = this.retained;
    const id = offset === edge ? edgeId : (this.retained.at(offset)?.id ?? null);
    const known = this.#lastPosition;
    if (known?.offset === offset && known.id === id) return known;
    this.#lastPosition = { epoch: this.epoch, offset, id };
    return this.#lastPosition;
  }

  #gapAt(after: Position): LogGap | null {
    const { edge, last } = this.retained;
    if (after.epoch !== this.epoch) return this.#gap("epoch", edge, null);
    if (after.offset > last) return this.#gap("ahead", last, null);
    if (after.offset < edge) return this.#gap("trimmed", edge, edge - after.offset);
    return this.retained.holds(after.offset, after.id) ? null : this.#gap("diverged", edge, null);
  }

  #gap(reason: LogGap["reason"], offset: number, lost: number | null): LogGap {
    const continuesAfter = this.position(offset);
    return { reason, to: continuesAfter, continuesAfter, lost };
  }

  /** As many of the first as a page may carry: one at least, however large. */
  #firstOf(all: Iterable<Entry>, limit: PageLimit): readonly Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of all) {
      bytes += this.#sizeOf(entry);
      if (entries.length === limit.count) break;
      if (bytes > limit.bytes && entries.length > 0) break;
      entries.push(entry);
    }
    return entries;
  }
}

/** A page of publications as a broker gives it. */
export function readResult(
  epoch: string,
  gap: LogGap | null,
  publications: readonly Publication[],
): ReadResult {
  return gap === null
    ? { kind: "publications", epoch, publications }
    : { kind: "gap", gap, publications };
}
