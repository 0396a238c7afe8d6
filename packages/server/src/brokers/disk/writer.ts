/**
 * The writer: writes that come while the disk syncs are written and synced together, as one group.
 *
 * A write is decided on right before its group is written, and settled after the group is synced, so a
 * group that fails leaves nothing behind in memory. A disk that has failed is never written again: after an
 * error of `fdatasync` nobody can know what is on it.
 */
import { type TailwireError, tailwireError, wordsOf } from "@tailwire/protocol";
import type { Logger } from "../../ports.ts";
import { NoRoom } from "./files.ts";
import type { Segment } from "./segment.ts";
import type { Segments, Written } from "./segments.ts";

/** A write to one channel's log. */
export interface Write {
  readonly channel: string;
  /** Called right before the write. Nothing is written for none. */
  readonly records: () => readonly Buffer[];
  /** They are synced, in a segment, and begin at these places. */
  readonly written: (segment: Segment, starts: readonly number[]) => void;
}

interface WaitingWrite extends Write {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Bytes of a group, from which on the rest goes into the next one. */
const GROUP_MAX = 4_194_304;

/** The refusal of a closed broker. */
export const CLOSED = tailwireError("unavailable", "the broker is closed");

export class Writer {
  readonly #segments: Segments;
  readonly #logger: Logger;
  readonly #failed: (reason: string) => void;
  #waiting: WaitingWrite[] = [];
  #running: Promise<void> | null = null;
  #isTidy = true;
  /** Why nothing can be written any more. */
  #failure: TailwireError | null = null;
  #isFull = false;
  #isClosed = false;

  /** `failed` is called once, when nothing can be written any more. */
  constructor(segments: Segments, logger: Logger, failed: (reason: string) => void) {
    this.#segments = segments;
    this.#logger = logger;
    this.#failed = failed;
  }

  /**
   * Writes with the next group. No two writes to one log are in the same group.
   *
   * @throws `unavailable` where certainly nothing was written, `indeterminate` where nobody knows.
   */
  write(write: Write): Promise<void> {
    if (this.#isClosed) return Promise.reject(CLOSED);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...write, resolve, reject });
      this.#run();
    });
  }

  /** Begins another segment if it is time to, and removes those that nobody needs. */
  tidy(): void {
    if (this.#isClosed) return;
    this.#isTidy = false;
    this.#run();
  }

  /** Resolves when all that was given is settled, and the segments are closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#running !== null) await this.#running;
    if (this.#failure === null) await this.#segments.close();
    else this.#segments.abandon();
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
      if (this.#waiting.length > 0) this.#run();
    });
  }

  async #work(): Promise<void> {
    // Whatever comes in the same step shares a group.
    await Promise.resolve();
    while (this.#waiting.length > 0 || !this.#isTidy) {
      if (!(await this.#begin())) continue;
      if (this.#waiting.length > 0) await this.#writeGroup();
      if (!this.#isTidy) await this.#reclaim();
    }
  }

  /** Sees to a segment to write; where there is none, nothing that waits can be written. */
  async #begin(): Promise<boolean> {
    try {
      if (this.#failure !== null) throw this.#failure;
      const isNeeded = this.#waiting.length > 0 || this.#segments.isDue;
      if (isNeeded && (await this.#segments.begin())) this.#isTidy = false;
      return true;
    } catch (error) {
      this.#isTidy = true;
      const told = this.#note(error);
      for (const { reject } of this.#waiting.splice(0)) reject(told);
      return false;
    }
  }

  async #writeGroup(): Promise<void> {
    const { writes, records } = this.#nextGroup();
    let written: Written | null = null;
    try {
      // A write that adds nothing, such as a duplicate, is answered without the disk.
      const all = records.flat();
      if (all.length > 0) written = await this.#segments.append(all);
    } catch (error) {
      const failure = this.#note(error);
      const told = error instanceof NoRoom ? failure : tailwireError("indeterminate");
      for (const { reject } of writes) reject(told);
      return;
    }
    if (written !== null) this.#settle(writes, records, written);
    else for (const { resolve } of writes) resolve();
  }

  #settle(
    writes: readonly WaitingWrite[],
    records: readonly (readonly Buffer[])[],
    { segment, starts }: Written,
  ): void {
    if (this.#isFull) this.#logger.warn({}, "the disk has room again");
    this.#isFull = false;
    let from = 0;
    for (const [index, write] of writes.entries()) {
      const to = from + (records[index]?.length ?? 0);
      try {
        write.written(segment, starts.slice(from, to));
        write.resolve();
      } catch (error) {
        write.reject(error);
      }
      from = to;
    }
  }

  /** The writes of the next group, which then don't wait any more, and the records of each. */
  #nextGroup(): { writes: readonly WaitingWrite[]; records: readonly (readonly Buffer[])[] } {
    const writes: WaitingWrite[] = [];
    const records: (readonly Buffer[])[] = [];
    const rest: WaitingWrite[] = [];
    const channels = new Set<string>();
    let bytes = 0;
    for (const write of this.#waiting) {
      if (channels.has(write.channel) || bytes >= GROUP_MAX) {
        rest.push(write);
      } else {
        channels.add(write.channel);
        const its = recordsOf(write);
        if (its === null) continue;
        for (const { length } of its) bytes += length;
        writes.push(write);
        records.push(its);
      }
    }
    this.#waiting = rest;
    return { writes, records };
  }

  async #reclaim(): Promise<void> {
    try {
      this.#isTidy = !(await this.#segments.reclaim());
    } catch (error) {
      this.#isTidy = true;
      this.#note(error);
    }
  }

  /** Takes note of an error; the one to tell to those whose writes weren't begun. */
  #note(error: unknown): TailwireError {
    if (error === this.#failure) return this.#failure as TailwireError;
    // The words, which may name paths, are for the operator.
    if (error instanceof NoRoom) {
      if (!this.#isFull) this.#logger.error({ error }, "the disk has no room: nothing is appended");
      this.#isFull = true;
      return tailwireError("unavailable");
    }
    this.#failure = tailwireError("unavailable");
    this.#failed(`the disk has failed, and isn't used until a new start: ${wordsOf(error)}`);
    return this.#failure;
  }
}

/** Null: it has none to give, and is told so. */
function recordsOf(write: WaitingWrite): readonly Buffer[] | null {
  try {
    return write.records();
  } catch (error) {
    write.reject(error);
    return null;
  }
}
