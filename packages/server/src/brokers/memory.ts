/** The memory broker: keeps the logs of one process, in its memory. */
import type { Clock, Position, Random, Start } from "@tailwire/protocol";
import { AppendRules, type AppendRulesOptions } from "../log/append-rules.ts";
import { KeptLog, readResult } from "../log/kept-log.ts";
import type {
  Append,
  AppendResult,
  Broker,
  BrokerLog,
  PageLimit,
  Publication,
  ReadResult,
  Retention,
  Tail,
  TailListener,
} from "../log/broker.ts";
import { publicationBytes } from "../log/broker.ts";

/** The options of a {@link MemoryBroker}, all of them required. */
export interface MemoryBrokerOptions extends AppendRulesOptions {
  readonly clock: Clock;
  readonly random: Random;
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
  /** Since when this memory has forgotten no producer, by the monotonic clock. */
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
      append: (batch) => {
        const isNew = !this.#logs.has(channel);
        const results = log().append(batch);
        // A log begins with what is appended: else refused publications could fill the memory with logs.
        if (isNew && results.every(({ kind }) => kind === "refused")) this.#logs.delete(channel);
        return results;
      },
      read: async (after, limit) => log().read(after, limit),
      readBack: async (before, limit) => log().readBack(before, limit),
      locate: async (start) => log().locate(start),
      tail: async (listener) => log().tail(listener),
    };
  }

  onState(): void {
    // It is always up.
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

/** One log: its retained publications, the ids it remembers, and who follows it. */
class MemoryLog {
  readonly #options: MemoryBrokerOptions;
  readonly #retention: Retention;
  readonly #kept: KeptLog<Publication>;
  readonly #rules: AppendRules;
  /** One per node, of which there is mostly one. */
  #listeners: readonly TailListener[] = [];
  #usedAt: number;

  constructor(options: MemoryBrokerOptions, retention: Retention, since: number) {
    this.#options = options;
    this.#retention = retention;
    const start = { epoch: options.random.token(), offset: 0, id: null };
    this.#kept = new KeptLog<Publication>(retention, start, publicationBytes);
    this.#usedAt = options.clock.monotonic();
    this.#rules = new AppendRules(options, this.#usedAt, since);
  }

  append(batch: readonly Append[]): readonly AppendResult[] {
    this.#touch();
    const now = this.#usedAt;
    const { epoch, retained } = this.#kept;
    const log = { epoch, last: retained.last };
    const { results, accepted } = this.#rules.decide(batch, log, now);
    const added = accepted.map((append) => this.#add(append, now));
    retained.trim(this.#options.clock.now());
    if (added.length > 0) for (const listener of this.#listeners) listener.push(epoch, added);
    return results;
  }

  read(after: Position, limit: PageLimit): ReadResult {
    this.#touch();
    const { gap, entries } = this.#kept.pageAfter(after, limit, this.#options.clock.now());
    return readResult(this.#kept.epoch, gap, entries);
  }

  readBack(before: Position | null, limit: PageLimit): ReadResult {
    this.#touch();
    const { gap, entries } = this.#kept.pageBefore(before, limit, this.#options.clock.now());
    return readResult(this.#kept.epoch, gap, entries);
  }

  locate(start: Exclude<Start, Position>): Position {
    this.#touch();
    return this.#kept.locate(start, this.#options.clock.now());
  }

  tail(listener: TailListener): Tail {
    this.#touch();
    // A spread would leave room for sixteen more.
    this.#listeners = this.#listeners.concat(listener);
    return new MemoryTail(this, listener, this.#kept.position(this.#kept.retained.last));
  }

  /** Somebody doesn't follow any more. */
  leave(listener: TailListener): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
    this.#touch();
  }

  /** Whether it can be forgotten: nobody follows it, nothing is retained, no id may come again. */
  idle(): boolean {
    const { retained } = this.#kept;
    retained.trim(this.#options.clock.now());
    const unusedMs = this.#options.clock.monotonic() - this.#usedAt;
    return (
      this.#listeners.length === 0 &&
      retained.count === 0 &&
      unusedMs > Math.max(2 * this.#options.dedupeMs, this.#retention.maxAgeMs)
    );
  }

  #add({ id, producer, publisher, event, data }: Append, now: number): Publication {
    const { retained } = this.#kept;
    const offset = retained.last + 1;
    // The clock may go back; a log's timestamps don't.
    const timestamp = Math.max(this.#options.clock.now(), retained.lastTimestamp);
    const publication = { id, offset, timestamp, publisher, event, data };
    retained.add(publication);
    if (producer !== null) this.#rules.seen(producer, offset, now);
    return publication;
  }

  #touch(): void {
    this.#usedAt = this.#options.clock.monotonic();
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
