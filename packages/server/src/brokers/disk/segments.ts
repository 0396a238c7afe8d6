/**
 * A folder's segments: the one that is written, its groups, and the older ones until nobody needs them.
 *
 * Each begins with all logs as they stand, producers included. So an older one is needed for the
 * publications in it alone, and is removed with the last of them; few that are left are copied forward.
 * Its calls must not overlap.
 */
import { crc32 } from "node:zlib";
import { type Clock, type Random, wordsOf } from "@tailwire/protocol";
import type { Logger } from "../../ports.ts";
import { type EndContent, LAYOUT, type LogContent } from "./contents.ts";
import { type Folder, isNoRoom, NoRoom, type OpenFile } from "./files.ts";
import { FORMS, type FoundRecord, makeRecord, seal } from "./records.ts";
import { segmentName, segmentNumber, unbegunName } from "./recovery.ts";
import { type Place, recordsAt, Segment } from "./segment.ts";

/** Sizes and times of segments. */
export interface SegmentSizes {
  /** Bytes from which on a segment isn't written any more. */
  readonly segmentBytes: number;
  /** Milliseconds after which another is begun: publications that have expired stay for so long at least. */
  readonly segmentMs: number;
}

/** Bytes that are written at once where more could be, so that a write doesn't take long. */
const CHUNK = 1_048_576;

/** A segment is copied forward where no more than this part of it is retained, or it is that small. */
const STRAGGLERS = 1 / 4;
const SMALL = 1 / 64;

/** How long after one that found no room another segment is tried, in milliseconds. */
const NO_ROOM_MS = 10_000;

/** A log, as far as segments know it. */
interface StoredLog {
  content(): LogContent;
  places(): Iterable<Place>;
}

export interface SegmentsOptions extends SegmentSizes {
  readonly folder: Folder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** All logs, as they are now. */
  readonly logs: () => readonly StoredLog[];
  /** The end of a segment, as of now. */
  readonly end: () => EndContent;
}

/** Where records were written. */
export interface Written {
  readonly segment: Segment;
  /** One for each record. */
  readonly starts: readonly number[];
}

interface Removal {
  readonly segment: Segment;
  /** In it, and still retained when this was planned. */
  readonly places: readonly Place[];
}

export class Segments {
  readonly #options: SegmentsOptions;
  /** Segments that were found or filled, the oldest first. */
  #older: Segment[];
  #current: Segment | null = null;
  #currentBegan = 0;
  #notBefore = 0;
  /** Where the logs in the current one's beginning end. */
  #beginning = 0;
  #number: number;
  /** Null: nothing is planned. */
  #plan: Removal[] | null = null;
  /** Older ones that can't be read. */
  readonly #damaged = new Set<Segment>();

  constructor(options: SegmentsOptions, found: readonly Segment[]) {
    this.#options = options;
    this.#older = [...found];
    const last = found.at(-1);
    this.#number = last === undefined ? 0 : segmentNumber(last.name);
  }

  /**
   * Begins a segment to write where there is none, the current one has its size, or its age and something
   * in it; whether it did.
   *
   * @throws NoRoom, and errors of the file system.
   */
  async begin(): Promise<boolean> {
    if (this.#current === null) {
      await this.#begin();
      return true;
    }
    if (!this.isDue) return false;
    try {
      await this.#begin();
      return true;
    } catch (error) {
      if (!(error instanceof NoRoom)) throw error;
      // A full disk may still have room for what is to be written now.
      this.#notBefore = this.#options.clock.monotonic() + NO_ROOM_MS;
      return false;
    }
  }

  get isDue(): boolean {
    if (this.#current === null) return false;
    const { clock, segmentBytes, segmentMs } = this.#options;
    const bytes = this.#current.size - this.#beginning;
    const now = clock.monotonic();
    if (now < this.#notBefore) return false;
    return bytes >= segmentBytes || (bytes > 0 && now - this.#currentBegan >= segmentMs);
  }

  /**
   * Writes and syncs a group in the segment that was begun, and says where each record is.
   *
   * @throws NoRoom where nothing was written. After any other error nobody
   * knows what was, nor whether the next would be.
   */
  async append(records: readonly Buffer[]): Promise<Written> {
    const segment = this.#current;
    if (segment === null) throw new Error("no segment was begun");
    return { segment, starts: await appendTo(segment, records) };
  }

  /**
   * Takes a step towards fewer segments, one segment each: removes it where nobody needs it, and first
   * copies forward what is left in it where that is little. Whether there are more steps to take.
   *
   * @throws as {@link append}.
   */
  async reclaim(): Promise<boolean> {
    this.#plan ??= this.#planned();
    const next = this.#plan.pop();
    if (next !== undefined) {
      const { segment, places } = next;
      if (await this.#copyForward(segment, places)) await this.#remove(segment);
    }
    if (this.#plan.length > 0) return true;
    this.#plan = null;
    return false;
  }

  /** Ends the current segment and closes all. */
  async close(): Promise<void> {
    const { end } = this.#options;
    if (this.#current !== null) {
      await appendTo(this.#current, [makeRecord(FORMS.end, end())]).catch(() => undefined);
    }
    this.abandon();
  }

  /** Closes all as they are. */
  abandon(): void {
    for (const segment of this.#older) segment.retire();
    this.#current?.retire();
  }

  /** Segments to be removed, with what has to be copied forward before. */
  #planned(): Removal[] {
    const retained = new Map<Segment, Place[]>(this.#older.map((segment) => [segment, []]));
    for (const log of this.#options.logs()) {
      for (const place of log.places()) retained.get(place.segment)?.push(place);
    }
    const small = this.#options.segmentBytes * SMALL;
    return [...retained]
      .filter(([segment, places]) => {
        const bytes = places.reduce((sum, { length }) => sum + length, 0);
        const isLittle = bytes <= segment.size * STRAGGLERS || segment.size < small;
        return bytes === 0 || (isLittle && this.#current !== null && !this.#damaged.has(segment));
      })
      .map(([segment, places]) => ({ segment, places }));
  }

  async #begin(): Promise<void> {
    const { folder, random, clock } = this.#options;
    const number = this.#number + 1;
    const file = await folder.create(unbegunName(number)).catch((error: unknown) => {
      throw isNoRoom(error) ? noRoom(error) : error;
    });
    const segment = new Segment(segmentName(number), file, crc32(random.token()), 0);
    try {
      segment.size = await this.#writeBeginning(segment);
      await folder.rename(unbegunName(number), segment.name);
      await folder.sync();
    } catch (error) {
      segment.retire();
      if (!isNoRoom(error)) throw error;
      await folder.remove(unbegunName(number));
      throw noRoom(error);
    }
    if (this.#current !== null) this.#older.push(this.#current);
    this.#current = segment;
    this.#currentBegan = clock.monotonic();
    this.#beginning = segment.size;
    this.#number = number;
  }

  /** Writes and syncs all logs as they stand; as how many bytes. */
  async #writeBeginning({ file, salt }: Segment): Promise<number> {
    const { logs, end } = this.#options;
    const all = logs();
    const first = makeRecord(FORMS.begin, { layout: LAYOUT, salt, logs: all.length, ...end() });
    seal(first, 0, 0);
    const out = new Chunks(file);
    await out.add(first);
    for (const log of all) {
      const record = makeRecord(FORMS.log, log.content());
      seal(record, 0, salt);
      await out.add(record);
    }
    await out.flush();
    await file.sync();
    return out.size;
  }

  /** Whether it could: a damaged segment stays where it is. */
  async #copyForward(from: Segment, places: readonly Place[]): Promise<boolean> {
    for (const moving of chunksOf(places)) {
      let records: readonly FoundRecord[];
      try {
        records = await recordsAt(moving);
      } catch (error) {
        this.#damaged.add(from);
        this.#options.logger.error({ error }, "a segment can't be read");
        return false;
      }
      const { segment, starts } = await this.append(records.map(({ whole }) => Buffer.from(whole)));
      for (const [index, place] of moving.entries()) {
        place.segment = segment;
        place.at = starts[index] as number;
      }
    }
    return true;
  }

  async #remove(segment: Segment): Promise<void> {
    this.#older = this.#older.filter((other) => other !== segment);
    segment.retire();
    await this.#options.folder.remove(segment.name).catch((error: unknown) => {
      this.#options.logger.warn({ error }, "a segment that nobody needs can't be removed");
    });
  }
}

/** Places in parts of about a chunk each. */
function* chunksOf(places: readonly Place[]): Generator<readonly Place[]> {
  let from = 0;
  while (from < places.length) {
    let to = from;
    for (let bytes = 0; to < places.length && bytes < CHUNK; to += 1) {
      bytes += places[to]?.length ?? 0;
    }
    yield places.slice(from, to);
    from = to;
  }
}

/** Writes and syncs records behind a segment's last. @throws as `Segments.append`. */
async function appendTo(segment: Segment, records: readonly Buffer[]): Promise<readonly number[]> {
  const { file, salt, size: group } = segment;
  let at = group;
  const starts = records.map((record) => {
    const start = at;
    seal(record, group, salt);
    at += record.length;
    return start;
  });
  try {
    await file.write(Buffer.concat(records), group);
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    await file.truncate(group);
    await file.sync();
    throw noRoom(error);
  }
  await file.sync();
  segment.size = at;
  return starts;
}

function noRoom(error: unknown): NoRoom {
  return new NoRoom(wordsOf(error));
}

/** A file that is written in chunks, from its beginning. */
class Chunks {
  readonly #file: OpenFile;
  #waiting: Buffer[] = [];
  #bytes = 0;
  /** Bytes that were added. */
  size = 0;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  async add(record: Buffer): Promise<void> {
    this.#waiting.push(record);
    this.#bytes += record.length;
    this.size += record.length;
    if (this.#bytes >= CHUNK) await this.flush();
  }

  async flush(): Promise<void> {
    await this.#file.write(Buffer.concat(this.#waiting), this.size - this.#bytes);
    this.#waiting = [];
    this.#bytes = 0;
  }
}
