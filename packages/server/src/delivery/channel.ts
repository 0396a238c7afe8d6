/**
 * A channel on one node: its log's tail, encoded for sending, and the cursors that follow it.
 *
 * It is made on first use and released when nobody uses it. It doesn't know connections: a
 * cursor is marked, and whoever owns it does the rest.
 */
import type { Codec, Position, TailwireError } from "@tailwire/protocol";
import type { CallHook } from "../application.ts";
import type { LogGap, Publication, ReadResult } from "../log/broker.ts";
import type { BrokerLink } from "../log/broker-link.ts";
import type { ChannelRule } from "../access/channel-rules.ts";
import { encodePage, EncodedTail, type Slice } from "./encoded-tail.ts";
import type { Limits } from "../limits.ts";
import { type GapRead, Log, type LogOwner } from "../log/log.ts";
import { readPersistently } from "../log/persist.ts";
import type { Ports } from "../ports.ts";
import type { Retained } from "../log/retained.ts";
import { type Snapshot, Snapshots } from "./snapshots.ts";
import { type Awaitable, isPromised } from "../support/awaitable.ts";
import { SparseMap, SparseSet } from "../support/sparse.ts";
import type { Sweep } from "./sweep.ts";

/** A place that the log can't serve. */
export interface GapStep {
  readonly kind: "gap";
  readonly gap: LogGap;
  /** The state as of where it goes on, where the channel has one. */
  readonly snapshot: Snapshot | null;
  /** The publications that were read behind it; null where nothing was, or none are there. */
  readonly following: Slice | null;
}

/** The next step for a cursor. */
export type Step =
  | Slice
  | GapStep
  /** The state that is owed can't be had. */
  | { readonly kind: "failure"; readonly error: unknown }
  | { readonly kind: "epoch"; readonly epoch: string }
  | { readonly kind: "end" };

const END: Step = { kind: "end" };

/** The tail as text or bytes, made when it is first asked for. */
interface Encoding {
  readonly codec: Codec;
  readonly tail: Retained;
  readonly lines: EncodedTail;
}

/** Shared by all channels that nobody has been sent anything of. */
const NO_ENCODINGS: readonly Encoding[] = [];

/** Shared by all channels that are open: a promise each would be kept for good. */
const OPENED = Promise.resolve();

/** A cursor, as far as its channel calls it. */
export interface Follower {
  /** The log has grown, or goes on under another epoch. */
  grew(): void;
}

/** Dependencies that all channels of a node share. */
export interface ChannelHost {
  readonly ports: Ports;
  readonly limits: Limits;
  readonly link: BrokerLink;
  /** Calls a function of the application, with its deadline. */
  readonly callHook: CallHook;
  /** Any error as one with a code; what isn't one is logged. */
  readonly report: (error: unknown) => TailwireError;
  /** Has {@link Channel.tellCursors} called when it is the channel's turn. */
  readonly sweep: Sweep;
  /** Called when nobody uses it any more. */
  readonly onIdle: (channel: Channel) => void;
}

export class Channel implements LogOwner {
  readonly name: string;
  readonly log: Log;
  /** Null where the application keeps no state of it. */
  readonly snapshots: Snapshots | null;
  readonly #host: ChannelHost;
  readonly #cursors = new SparseSet<Follower>();
  /** Reads in progress from before the tail, shared by cursors at the same position. */
  readonly #reads = new SparseMap<string, Promise<Step>>();
  /** The tail in each encoding that somebody follows it in. */
  #encodings: readonly Encoding[] = NO_ENCODINGS;
  #opening: Promise<void> | null = null;
  #users = 0;
  /** Where the log was when cursors were told last, by offset and by bytes. */
  #toldOffset = 0;
  #toldBytes = 0;
  #closed = false;

  constructor(host: ChannelHost, name: string, rule: ChannelRule) {
    this.name = name;
    this.#host = host;
    this.log = new Log(host.ports, host.limits, host.link, rule.retention, this);
    this.snapshots =
      rule.snapshot === null
        ? null
        : new Snapshots({ ...host, name, rule, log: this.log }, rule.snapshot);
  }

  /** Cursors that follow it. */
  get size(): number {
    return this.#cursors.size;
  }

  /** Follows the log, once. @throws `unavailable`; the next call tries again. */
  open(): Promise<void> {
    this.#opening ??= this.log.open().then(
      () => {
        this.#opening = OPENED;
      },
      (error: unknown) => {
        this.#opening = null;
        throw error;
      },
    );
    return this.#opening;
  }

  /** Keeps the channel while something is in progress that isn't a cursor yet. */
  use<Value>(work: () => Awaitable<Value>): Awaitable<Value> {
    this.#users += 1;
    const unuse = (): void => {
      this.#users -= 1;
      this.#releaseWhenIdle();
    };
    let used: Awaitable<Value>;
    try {
      used = work();
    } catch (error) {
      unuse();
      throw error;
    }
    if (isPromised(used)) return used.finally(unuse);
    unuse();
    return used;
  }

  join(cursor: Follower): void {
    this.#cursors.add(cursor);
  }

  leave(cursor: Follower): void {
    if (this.#cursors.delete(cursor)) this.#releaseWhenIdle();
  }

  /** Its log has grown. */
  grew(): void {
    this.#host.sweep.grew(this);
  }

  /** Whether so much is new that nothing is gained by waiting for more: one write carries no more. */
  get isFull(): boolean {
    const { flushBytesMax, tailBytesMax } = this.#host.limits;
    return this.log.bytesAdded - this.#toldBytes >= Math.min(flushBytesMax, tailBytesMax / 2);
  }

  /** Cursors that were told have been served, as far as their sockets let them. */
  swept(): void {
    this.log.swept(this.#toldOffset);
  }

  /** Tells the cursors that the log has grown. */
  tellCursors(): void {
    this.#toldOffset = this.log.lastOffset;
    this.#toldBytes = this.log.bytesAdded;
    // They only get in line: nobody is called who could join or leave meanwhile.
    for (const cursor of this.#cursors.values()) cursor.grew();
  }

  /**
   * Whether the log, as this node knows it, has nothing after the position. A position that the
   * broker knows may lie beyond this node's tail, which then has to catch up first.
   */
  endsAt(position: Position): boolean {
    return position.offset >= this.log.lastOffset && position.epoch === this.log.epoch;
  }

  /** Whether this node knows of more after the position, under the same epoch. */
  goesOnAfter(position: Position): boolean {
    return position.epoch === this.log.epoch && position.offset < this.log.lastOffset;
  }

  /** The step that follows a position, where this node holds it; null where it has to be read. */
  next(position: Position, codec: Codec): Step | null {
    const tail = this.log.tail;
    if (tail === null || position.epoch !== this.log.epoch) return null;
    if (!tail.holds(position.offset, position.id)) {
      const gap = this.snapshots === null ? this.#gapAt(position, tail) : null;
      return gap === null ? null : { kind: "gap", gap, snapshot: null, following: null };
    }
    // Nothing has to be encoded to know that there is nothing.
    if (position.offset === tail.last) return END;
    return this.#linesOf(tail, codec).sliceAfter(position.offset, tail) ?? END;
  }

  /** Reads what follows a position that lies before the tail. It never rejects: it tries again. */
  readAfter(position: Position, codec: Codec): Promise<Step> {
    const key = `${codec.subprotocol} ${position.epoch} ${position.offset} ${position.id}`;
    let read = this.#reads.get(key);
    if (read === undefined) {
      read = this.#readAfter(position, codec).finally(() => this.#reads.delete(key));
      this.#reads.set(key, read);
    }
    return read;
  }

  /**
   * A gap that has waited for its socket, up to where the tail begins by now: when nothing was there to
   * read behind it, the log may have gone on far beyond. Null where only the broker knows how far.
   */
  upToDate(step: GapStep): GapStep | null {
    const { gap, snapshot, following } = step;
    const { continuesAfter } = gap;
    const { tail } = this.log;
    if (snapshot !== null || following !== null || tail === null) return step;
    if (continuesAfter.epoch !== this.log.epoch || continuesAfter.offset >= tail.edge) return step;
    const more = this.#gapAt(continuesAfter, tail);
    if (more === null) return null;
    const lost = gap.lost === null || more.lost === null ? null : gap.lost + more.lost;
    return { ...step, gap: { ...more, reason: gap.reason, lost } };
  }

  close(): void {
    this.#closed = true;
    this.log.close();
  }

  async #readAfter(position: Position, codec: Codec): Promise<Step> {
    const isOver = (): boolean => this.#closed;
    const { link, ports } = this.#host;
    const failed = (error: unknown): void => link.report(error);
    const next = async (): Promise<Step> => {
      const known = this.#gapAt(position, this.log.tail);
      const read: ReadResult =
        known === null
          ? await this.log.read(position)
          : { kind: "gap", gap: known, publications: [] };
      if (read.kind === "gap") return this.gapStep(read, codec);
      if (read.epoch !== position.epoch) return { kind: "epoch", epoch: read.epoch } as const;
      return this.#sliceOf(read.epoch, read.publications, codec) ?? END;
    };
    return (await readPersistently(ports.clock, isOver, next, failed)) ?? END;
  }

  /** The gap at a position that retention has passed here; null where only the broker knows. */
  #gapAt({ epoch, offset }: Position, tail: Retained | null): LogGap | null {
    const lost = tail === null || epoch !== this.log.epoch ? null : tail.lostAfter(offset);
    if (tail === null || lost === null) return null;
    const edge = { epoch, offset: tail.edge, id: tail.edgeId };
    return { reason: "trimmed", to: edge, continuesAfter: edge, lost };
  }

  /** Where there is a state, delivery goes on right after it, not at the log's edge [STATE-3]. */
  async gapStep({ gap, publications }: GapRead, codec: Codec): Promise<Step> {
    if (this.snapshots === null) {
      const following = this.#sliceOf(gap.continuesAfter.epoch, publications, codec);
      return { kind: "gap", gap, snapshot: null, following };
    }
    try {
      const snapshot = await this.snapshots.fetch();
      const goesOn = { ...gap, continuesAfter: snapshot.position };
      return { kind: "gap", gap: goesOn, snapshot, following: null };
    } catch (error) {
      return { kind: "failure", error };
    }
  }

  #sliceOf(epoch: string, publications: readonly Publication[], codec: Codec): Slice | null {
    const [first, ...rest] = publications;
    if (first === undefined) return null;
    const { ports, limits } = this.#host;
    const page = [first, ...rest] as const;
    return encodePage(ports, codec, this.name, epoch, page, limits.flushBytesMax);
  }

  #linesOf(tail: Retained, codec: Codec): EncodedTail {
    const known = this.#encodings.find((one) => one.codec === codec && one.tail === tail);
    if (known !== undefined) return known.lines;
    const { ports, limits } = this.#host;
    const { epoch } = this.log;
    const options = { epoch, sliceBytesMax: limits.flushBytesMax, startOffset: tail.edge };
    const lines = new EncodedTail(ports, codec, this.name, options);
    // Encodings of an earlier tail are dropped: a tail that was begun anew has no use for them.
    const others = this.#encodings.filter((one) => one.codec !== codec && one.tail === tail);
    this.#encodings = [...others, { codec, tail, lines }];
    return lines;
  }

  #releaseWhenIdle(): void {
    if (this.#cursors.size === 0 && this.#users === 0) this.#host.onIdle(this);
  }
}
