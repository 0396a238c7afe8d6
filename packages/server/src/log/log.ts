/**
 * A node's view of one channel's log: it appends through the broker and follows the log's tail.
 *
 * Pushes are hints. Each is checked against the chain of offsets, and whatever doesn't fit makes
 * it read again from the last position that does, so a lost, doubled or late push is harmless.
 * It doesn't know who subscribes, nor any encoding.
 */
import {
  chain,
  isPosition,
  type Position,
  type Start,
  type TailwireError,
  tailwireError,
} from "@tailwire/protocol";
import type {
  Append,
  AppendResult,
  BrokerLog,
  Publication,
  ReadResult,
  Retention,
  Tail,
  TailListener,
} from "./broker.ts";
import { AppendQueue } from "./append-queue.ts";
import type { BrokerLink } from "./broker-link.ts";
import { EarlyPushes } from "./early-pushes.ts";
import { checkPublications, givenPosition, givenRead, givenTail } from "./given.ts";
import type { Limits } from "../limits.ts";
import type { Ports } from "../ports.ts";
import { NodeTail } from "./node-tail.ts";
import { readPersistently } from "./persist.ts";
import type { Awaitable } from "../support/awaitable.ts";
import { convertGiven } from "../support/mistake.ts";

/** Publications read from the broker at once; bytes are limited as well. */
const PAGE_COUNT = 1_000;

/** A gap as the broker told it, with what follows it. */
export type GapRead = Extract<ReadResult, { kind: "gap" }>;

/** Where a subscription starts, and for a position whether all that follows it is retained. */
export interface Started {
  readonly position: Position;
  readonly recovered: boolean;
  /** The gap that follows the position, where there is one. */
  readonly gap?: GapRead;
}

/** Whose log it is. */
export interface LogOwner {
  /** The channel's name. */
  readonly name: string;
  /** There is something new to read, or a new epoch. */
  grew(): void;
}

export class Log {
  readonly retention: Retention;
  readonly #ports: Ports;
  readonly #limits: Limits;
  readonly #link: BrokerLink;
  readonly #owner: LogOwner;
  /** Made with the first append: most channels are quiet. */
  #appends: AppendQueue | null = null;
  #tail: Tail | null = null;
  #retained: NodeTail | null = null;
  #epoch = "";
  #rereading = false;
  #rereadAgain = false;
  /** Null where no push ever came too early. */
  #early: EarlyPushes | null = null;
  /** A place that the broker has shown and the tail hasn't: nobody is placed by it until it has. */
  #doubt: Pick<Position, "epoch" | "offset"> | null = null;
  #closed = false;

  constructor(
    ports: Ports,
    limits: Limits,
    link: BrokerLink,
    retention: Retention,
    owner: LogOwner,
  ) {
    this.#ports = ports;
    this.#limits = limits;
    this.#link = link;
    this.retention = retention;
    this.#owner = owner;
  }

  /** Made for each call: a handle costs nothing, and kept it takes half a KiB for each channel. */
  get #handle(): BrokerLog {
    return this.#link.log(this.#owner.name, this.retention);
  }

  /** The epoch that the tail belongs to. Empty before {@link open}. */
  get epoch(): string {
    return this.#epoch;
  }

  /** This node's share of the log's end, trimmed as of now; null before {@link open}. */
  get tail(): NodeTail | null {
    this.#trim();
    return this.#retained;
  }

  get lastOffset(): number {
    return this.#retained?.last ?? 0;
  }

  /** Bytes of all publications that the tail was ever given. */
  get bytesAdded(): number {
    return this.#retained?.bytesAdded ?? 0;
  }

  /** Begins to follow the log. @throws `unavailable`. */
  async open(): Promise<void> {
    const attempt = { isOver: false };
    const open = async (): Promise<Tail> => {
      const opened = await this.#handle.tail(new Listener(this));
      // Nobody else is left to close it.
      if (attempt.isOver) opened.close();
      return opened;
    };
    const opening = this.#link.call("tail", open, givenTail);
    const tail = await opening.catch((error: unknown) => {
      attempt.isOver = true;
      throw error;
    });
    if (this.#closed) {
      tail.close();
      return;
    }
    this.#tail = tail;
    const missed = this.#rereadAgain;
    this.#adopt(tail.position);
    if (!this.#acceptEarly() || missed) this.#reread();
  }

  /** The broker pushes what was appended. */
  push(epoch: string, publications: readonly Publication[]): void {
    try {
      convertGiven("broker.push", () => checkPublications(epoch, publications));
    } catch (mistake) {
      this.#link.report(mistake);
      return this.#reread();
    }
    if (this.#accept(epoch, publications)) return;
    this.#early ??= new EarlyPushes(this.#limits.tailBytesMax);
    const isKept = this.#early.add(epoch, publications);
    const isAwaited = this.#rereading || this.#retained === null;
    if (!isKept || !isAwaited) this.#reread();
  }

  /** Cursors have been served up to an offset, as far as their sockets let them. */
  swept(offset: number): void {
    if (this.#retained !== null) this.#retained.sweptTo = offset;
    this.#trim();
  }

  /** Keeps what follows an offset for a state as of there, up to the next such call; Infinity: nothing. */
  keepForState(offset: number): void {
    if (this.#retained !== null) this.#retained.stateAt = offset;
    this.#trim();
  }

  /** The broker may have missed something. */
  suspect(): void {
    this.#reread();
  }

  /** The broker is down, or up again. */
  brokerChanged(): void {
    const { outage } = this.#link;
    if (outage === null) this.#reread();
    else this.#appends?.rejectWaiting(outage);
  }

  close(): void {
    this.#closed = true;
    this.#tail?.close();
    this.#tail = null;
  }

  /** Appends in order: {@link AppendQueue.append}. */
  append(append: Append, onRetry?: () => void): Awaitable<AppendResult> {
    this.#appends ??= new AppendQueue(this.#ports, this.#limits, this.#link, () => this.#handle);
    return this.#appends.append(append, onRetry);
  }

  /** Where a start lies now [SUB-2]. @throws `unavailable`. */
  async start(start: Start): Promise<Started> {
    if (!isPosition(start)) {
      const position = await this.#link.call(
        "locate",
        () => this.#handle.locate(start),
        givenPosition,
      );
      this.#compare(position);
      return { position, recovered: false };
    }
    if (this.holds(start)) return { position: start, recovered: true };
    const read = await this.read(start, 1);
    return read.kind === "gap"
      ? { position: start, recovered: false, gap: read }
      : { position: { ...start, epoch: read.epoch }, recovered: true };
  }

  /** Whether what follows the position is in the tail. */
  holds(position: Position): boolean {
    if (this.#doubt !== null || position.epoch !== this.#epoch) return false;
    return this.tail?.holds(position.offset, position.id) ?? false;
  }

  /** Reads what precedes a position, or with null the end of the log. @throws `unavailable`. */
  readBack(before: Position | null, count: number): Promise<ReadResult> {
    const limit = { count, bytes: this.#limits.flushBytesMax };
    return this.#link.call("readBack", () => this.#handle.readBack(before, limit), givenRead);
  }

  /** Reads from the broker, for a position that lies before the tail. @throws `unavailable`. */
  async read(after: Position, count = PAGE_COUNT): Promise<ReadResult> {
    const limit = { count, bytes: this.#limits.flushBytesMax };
    const read = await this.#link.call("read", () => this.#handle.read(after, limit), givenRead);
    this.#compare(read.kind === "gap" ? read.gap.continuesAfter : { epoch: read.epoch, offset: 0 });
    return read;
  }

  /** Doubts the tail where the broker's answer shows that the log goes on elsewhere than it thinks. */
  #compare(place: Pick<Position, "epoch" | "offset">): void {
    if (this.#retained === null || this.#reaches(place)) return;
    this.#doubt = place;
    this.#reread();
  }

  #reaches({ epoch, offset }: Pick<Position, "epoch" | "offset">): boolean {
    return epoch === this.#epoch && offset <= this.lastOffset;
  }

  /** Adds what follows on. False when something lies between, or the tail isn't open yet. */
  #accept(epoch: string, publications: readonly Publication[]): boolean {
    const retained = this.#retained;
    if (retained === null || epoch !== this.#epoch) return false;
    const before = retained.last;
    let fits = true;
    for (const publication of publications) {
      const link = chain(retained.last, publication.offset);
      fits &&= link !== "broken";
      if (link === "next") retained.add(publication);
    }
    this.#trim();
    if (retained.last !== before) {
      if (this.#doubt !== null && this.#reaches(this.#doubt)) this.#doubt = null;
      this.#owner.grew();
    }
    return fits;
  }

  /** Tries what was pushed before its turn. False when something still lies between. */
  #acceptEarly(): boolean {
    let fits = true;
    for (const { epoch, publications } of this.#early?.takeAll() ?? []) {
      fits = this.#accept(epoch, publications) && fits;
    }
    return fits;
  }

  #trim(): void {
    this.#retained?.trim(this.#ports.clock.now(), this.#limits.tailBytesMax);
  }

  /** Reads on from the last position that is certain. One at a time; asked meanwhile: once more. */
  #reread(): void {
    this.#rereadAgain = true;
    if (!this.#rereading) void this.#rereadNow();
  }

  async #rereadNow(): Promise<void> {
    this.#rereading = true;
    while (this.#rereadAgain && !this.#closed) {
      await readPersistently(
        this.#ports.clock,
        () => this.#closed,
        () => this.#readOn(),
        (error) => this.#link.report(error),
      );
    }
    this.#rereading = false;
  }

  async #readOn(): Promise<void> {
    this.#rereadAgain = false;
    if (this.#retained === null) return;
    const { last: offset, lastId: id } = this.#retained;
    const limit = { count: PAGE_COUNT, bytes: this.#limits.flushBytesMax };
    const readOn = (): Promise<ReadResult> => {
      // This covers also what was asked for while the broker was down.
      this.#rereadAgain = false;
      return this.#handle.read({ epoch: this.#epoch, offset, id }, limit);
    };
    const read = await this.#link.call("read", readOn, givenRead);
    this.#goOn(offset, read);
  }

  #goOn(offset: number, read: ReadResult): void {
    if (this.#closed) return;
    const isBegun = this.#beginAnew(offset, read);
    const before = this.lastOffset;
    const fits = this.#accept(this.#epoch, read.publications);
    const end = this.lastOffset;
    if (read.kind === "publications" && read.publications.length > 0 && end <= offset)
      throw stuck();
    const isAhead = isBegun || end > before;
    const earlyFit = this.#acceptEarly();
    // A page that brings news may be full and have more behind it, unless pushes join it.
    const isWhole = !isAhead || this.lastOffset > end;
    if (!isAhead) this.#doubt = null;
    if (!fits || !earlyFit || !isWhole || this.#doubt !== null) this.#rereadAgain = true;
    this.#owner.grew();
  }

  /** Begins the tail anew where a read from its end says that the log goes on elsewhere. */
  #beginAnew(offset: number, read: ReadResult): boolean {
    if (read.kind === "publications") {
      if (read.epoch === this.#epoch) return false;
      this.#adopt({ epoch: read.epoch, offset, id: null });
      return true;
    }
    const { continuesAfter, reason } = read.gap;
    // Pushes may have brought meanwhile what the broker has trimmed.
    if (reason === "trimmed" && this.lastOffset > offset && this.#reaches(continuesAfter))
      return false;
    if (continuesAfter.epoch === this.#epoch && continuesAfter.offset === offset) throw stuck();
    this.#adopt(continuesAfter);
    return true;
  }

  /** Begins the tail anew at a position. Cursors elsewhere read on from their own. */
  #adopt(position: Position): void {
    this.#epoch = position.epoch;
    this.#retained = new NodeTail(this.retention, position, this.#retained);
    if (this.#doubt !== null && this.#reaches(this.#doubt)) this.#doubt = null;
  }
}

/** One per opening: of two, the one that comes too late is closed and the other isn't. */
class Listener implements TailListener {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  push(epoch: string, publications: readonly Publication[]): void {
    this.#log.push(epoch, publications);
  }

  suspect(): void {
    this.#log.suspect();
  }
}

/** Asked again at once, a broker that gives the same for ever would be asked in a loop. */
function stuck(): TailwireError {
  return tailwireError("unavailable", "the broker's page doesn't lead on");
}
