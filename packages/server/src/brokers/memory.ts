/** The memory broker: keeps the logs of one process, in its memory. */
import {
  type Clock,
  ERROR_CODES,
  payloadText,
  type Position,
  type Random,
  type Start,
} from "@tailwire/protocol";
import { fingerprint } from "./fingerprint.ts";
import { Retained } from "../log/retained.ts";
import { SparseMap } from "../support/sparse.ts";
import type {
  Append,
  AppendResult,
  Broker,
  BrokerLog,
  LogGap,
  PageLimit,
  Publication,
  ReadResult,
  Retention,
  Tail,
  TailListener,
} from "../log/broker.ts";
import { publicationBytes } from "../log/broker.ts";

/** The options of a {@link MemoryBroker}, all of them required. */
export interface MemoryBrokerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How long a publication's id is remembered at least, in milliseconds; twice that at most. */
  readonly dedupeMs: number;
  /** Ids remembered per producer and channel at most; at the limit it is `rate_limited`. */
  readonly dedupeRecordsMax: number;
}

/** How often idle logs are looked for, in milliseconds. */
const EXPIRE_EVERY_MS = 60_000;

/**
 * Keeps logs in memory. They end with the process: a new one has new epochs, so that subscribers get a
 * gap [DEL-4]. Its calls never reject.
 */
export class MemoryBroker implements Broker {
  readonly capabilities = { durable: false };
  readonly #options: MemoryBrokerOptions;
  readonly #logs = new Map<string, MemoryLog>();
  /** Since when this memory has forgotten no id, by the monotonic clock. */
  readonly #since: number;
  #cancelExpiry: (() => void) | null = null;

  constructor(options: MemoryBrokerOptions) {
    this.#options = options;
    this.#since = options.clock.monotonic();
  }

  /** Logs that exist now. */
  get size(): number {
    return this.#logs.size;
  }

  log(channel: string, retention: Retention): BrokerLog {
    const log = (): MemoryLog => this.#logs.get(channel) ?? this.#create(channel, retention);
    return {
      append: async (batch) => log().append(batch),
      read: async (after, limit) => log().read(after, limit),
      readBack: async (before, limit) => log().readBack(before, limit),
      locate: async (start) => log().locate(start),
      tail: async (listener) => log().tail(listener),
    };
  }

  close(): Promise<void> {
    this.#cancelExpiry?.();
    this.#cancelExpiry = null;
    this.#logs.clear();
    return Promise.resolve();
  }

  #create(channel: string, retention: Retention): MemoryLog {
    const log = new MemoryLog(this.#options, retention, this.#since);
    this.#logs.set(channel, log);
    this.#cancelExpiry ??= this.#options.clock.after(EXPIRE_EVERY_MS, () => this.#expire());
    return log;
  }

  #expire(): void {
    for (const [channel, log] of this.#logs) if (log.idle()) this.#logs.delete(channel);
    this.#cancelExpiry =
      this.#logs.size === 0
        ? null
        : this.#options.clock.after(EXPIRE_EVERY_MS, () => this.#expire());
  }
}

/** The record of an id: where it stands, and with what content. */
interface DedupeRecord {
  readonly offset: number;
  readonly fingerprint: number;
}

/** A producer's appends: how many, and the highest sequence among them. */
interface Produced {
  readonly count: number;
  readonly sequence: number;
}

/** Ids, and what was appended per producer, in one period of `dedupeMs`. */
interface DedupePeriod {
  readonly records: Map<string, DedupeRecord>;
  readonly produced: Map<string, Produced>;
}

const NOTHING: Produced = { count: 0, sequence: 0 };

/** One log: its retained publications, the ids it remembers, and who follows it. */
class MemoryLog {
  readonly #options: MemoryBrokerOptions;
  readonly #retention: Retention;
  readonly #epoch: string;
  readonly #since: number;
  readonly #retained: Retained;
  /** One per node, of which there is mostly one. */
  #listeners: readonly TailListener[] = [];
  /** Highest generation per producer, and when it was last heard of, by the monotonic clock. */
  readonly #generations = new SparseMap<
    string,
    { readonly generation: number; readonly at: number }
  >();
  /** Null where nothing has to be remembered. */
  #period: DedupePeriod | null = null;
  #formerPeriod: DedupePeriod | null = null;
  #periodBegan: number;
  #usedAt: number;
  /** The last position that was given: all that ask for the same place share it. */
  #lastPosition: Position | null = null;

  constructor(options: MemoryBrokerOptions, retention: Retention, since: number) {
    this.#options = options;
    this.#retention = retention;
    this.#since = since;
    this.#epoch = options.random.token();
    this.#retained = new Retained(retention, { offset: 0, id: null });
    this.#periodBegan = options.clock.monotonic();
    this.#usedAt = this.#periodBegan;
  }

  append(batch: readonly Append[]): readonly AppendResult[] {
    this.#touch();
    this.#rotate();
    const added: Publication[] = [];
    // An append that is refused for now comes again, and nothing behind it may be there first [PUB-12].
    const holding = new Set<string>();
    const results = batch.map((append) => {
      const { producer } = append;
      if (producer !== null && holding.has(producer)) return refused("held");
      const result = this.#appendOne(append, added);
      const comesAgain = result.kind === "refused" && ERROR_CODES[result.code].retry;
      if (comesAgain && producer !== null) holding.add(producer);
      return result;
    });
    this.#retained.trim(this.#options.clock.now());
    if (added.length > 0) for (const listener of this.#listeners) listener.push(this.#epoch, added);
    return results;
  }

  read(after: Position, limit: PageLimit): ReadResult {
    this.#touch();
    this.#retained.trim(this.#options.clock.now());
    const gap = this.#gapAt(after);
    if (gap !== null) return { kind: "gap", gap };
    const publications = firstOf(this.#retained.after(after.offset), limit);
    return { kind: "publications", epoch: this.#epoch, publications };
  }

  readBack(before: Position | null, limit: PageLimit): ReadResult {
    this.#touch();
    this.#retained.trim(this.#options.clock.now());
    const gap = before === null ? null : this.#gapAt(before);
    // Nothing is left before what was trimmed, which is no news to whoever reads back.
    if (gap !== null && gap.reason !== "trimmed") return { kind: "gap", gap };
    const publications = firstOf(this.#retained.before(before?.offset ?? Infinity), limit);
    return { kind: "publications", epoch: this.#epoch, publications: publications.toReversed() };
  }

  locate(start: Exclude<Start, Position>): Position {
    this.#touch();
    const now = this.#options.clock.now();
    this.#retained.trim(now);
    if (start === "latest") return this.#position(this.#retained.last);
    if (start === "earliest") return this.#position(this.#retained.edge);
    return this.#position(
      "count" in start.rewind
        ? this.#retained.back(start.rewind.count)
        : this.#retained.since(now - start.rewind.ageMs),
    );
  }

  tail(listener: TailListener): Tail {
    this.#touch();
    // A spread would leave room for sixteen more.
    this.#listeners = this.#listeners.concat(listener);
    return new MemoryTail(this, listener, this.#position(this.#retained.last));
  }

  /** Somebody doesn't follow any more. */
  leave(listener: TailListener): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
    this.#touch();
  }

  /** Whether it can be forgotten: nobody follows it, nothing is retained, no id may come again. */
  idle(): boolean {
    this.#retained.trim(this.#options.clock.now());
    const unusedMs = this.#options.clock.monotonic() - this.#usedAt;
    return (
      this.#listeners.length === 0 &&
      this.#retained.count === 0 &&
      unusedMs > Math.max(2 * this.#options.dedupeMs, this.#retention.maxAgeMs)
    );
  }

  #appendOne(append: Append, added: Publication[]): AppendResult {
    const { producer } = append;
    const known = producer === null ? null : this.#lookUp(append, producer);
    if (known !== null) return known;
    if (this.#options.clock.now() > append.notAfter) return refused("expired");
    const publication = this.#add(append);
    added.push(publication);
    if (producer !== null) this.#remember(append, publication.offset, producer);
    const { offset, id } = publication;
    return { kind: "appended", position: { epoch: this.#epoch, offset, id }, duplicate: false };
  }

  /**
   * The result for a producer's id that is known already: where it stands, or why it is refused.
   * Nothing is awaited between this and the append, so two sends of one id can't both be first [PUB-4].
   */
  #lookUp(append: Append, producer: string): AppendResult | null {
    const { id, generation, repeat } = append;
    if (generation < (this.#generations.get(producer)?.generation ?? 0)) return refused("fenced");
    this.#generations.set(producer, { generation, at: this.#options.clock.monotonic() });
    const known = this.#period?.records.get(id) ?? this.#formerPeriod?.records.get(id);
    if (known !== undefined) {
      if (known.fingerprint !== fingerprintOf(append)) return refused("id_conflict");
      const position = { epoch: this.#epoch, offset: known.offset, id };
      return { kind: "appended", position, duplicate: true };
    }
    const before = this.#formerPeriod?.produced.get(producer) ?? NOTHING;
    const { count, sequence } = this.#period?.produced.get(producer) ?? NOTHING;
    if (before.count + count >= this.#options.dedupeRecordsMax) return refused("rate_limited");
    if (repeat === undefined) return null;
    // A later append of its producer is there: this one was refused for good, and can't have its
    // place any more.
    const isOvertaken = (append.sequence ?? Infinity) < Math.max(before.sequence, sequence);
    return isOvertaken || !this.#wouldKnow(repeat) ? refused("indeterminate") : null;
  }

  #remember(append: Append, offset: number, producer: string): void {
    this.#period ??= { records: new Map(), produced: new Map() };
    const { records, produced } = this.#period;
    records.set(append.id, { offset, fingerprint: fingerprintOf(append) });
    const { count, sequence } = produced.get(producer) ?? NOTHING;
    const highest = Math.max(sequence, append.sequence ?? 0);
    produced.set(producer, { count: count + 1, sequence: highest });
  }

  #add({ id, publisher, event, data }: Append): Publication {
    const offset = this.#retained.last + 1;
    // The clock may go back; a log's timestamps don't.
    const timestamp = Math.max(this.#options.clock.now(), this.#retained.lastTimestamp);
    const publication = { id, offset, timestamp, publisher, event, data };
    this.#retained.add(publication);
    return publication;
  }

  /** Whether a repeat that isn't known was certainly never appended [PUB-5]. */
  #wouldKnow(repeat: NonNullable<Append["repeat"]>): boolean {
    // An append that long ago may be forgotten by now.
    if (repeat.ageMs >= this.#options.dedupeMs) return false;
    // Within one epoch, or one process, no id is forgotten before its time.
    if (repeat.epoch === this.#epoch) return true;
    return this.#options.clock.monotonic() - repeat.ageMs >= this.#since;
  }

  #gapAt(after: Position): LogGap | null {
    const { edge, last } = this.#retained;
    if (after.epoch !== this.#epoch) return this.#gap("epoch", edge, null);
    if (after.offset > last) return this.#gap("ahead", last, null);
    if (after.offset < edge) return this.#gap("trimmed", edge, edge - after.offset);
    return this.#retained.holds(after.offset, after.id) ? null : this.#gap("diverged", edge, null);
  }

  #gap(reason: LogGap["reason"], offset: number, lost: number | null): LogGap {
    const continuesAfter = this.#position(offset);
    return { reason, to: continuesAfter, continuesAfter, lost };
  }

  #position(offset: number): Position {
    const { edge, edgeId } = this.#retained;
    const id = offset === edge ? edgeId : (this.#retained.at(offset)?.id ?? null);
    const known = this.#lastPosition;
    if (known?.offset === offset && known.id === id) return known;
    this.#lastPosition = { epoch: this.#epoch, offset, id };
    return this.#lastPosition;
  }

  #touch(): void {
    this.#usedAt = this.#options.clock.monotonic();
  }

  /** Forgets ids in two periods: each is remembered for `dedupeMs` at least, twice that at most. */
  #rotate(): void {
    const now = this.#options.clock.monotonic();
    const periods = Math.floor((now - this.#periodBegan) / this.#options.dedupeMs);
    if (periods === 0) return;
    this.#formerPeriod = periods === 1 ? this.#period : null;
    this.#period = null;
    this.#periodBegan = now;
    for (const [producer, { at }] of this.#generations.entries()) {
      if (now - at > this.#options.dedupeMs) this.#generations.delete(producer);
    }
  }
}

class MemoryTail implements Tail {
  readonly position: Position;
  readonly #log: MemoryLog;
  readonly #listener: TailListener;

  constructor(log: MemoryLog, listener: TailListener, position: Position) {
    this.#log = log;
    this.#listener = listener;
    this.position = position;
  }

  close(): void {
    this.#log.leave(this.#listener);
  }
}

/** As many of the first as a page may carry: one at least, however large. */
function firstOf(all: Iterable<Publication>, limit: PageLimit): readonly Publication[] {
  const publications: Publication[] = [];
  let bytes = 0;
  for (const publication of all) {
    bytes += publicationBytes(publication);
    if (publications.length === limit.count) break;
    if (bytes > limit.bytes && publications.length > 0) break;
    publications.push(publication);
  }
  return publications;
}

function fingerprintOf({ event, data, sent = data }: Append): number {
  return fingerprint(event, payloadText(sent));
}

function refused(code: Extract<AppendResult, { kind: "refused" }>["code"]): AppendResult {
  return { kind: "refused", code };
}
