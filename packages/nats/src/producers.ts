/**
 * The producers of one channel's log: rules of appending that are built anew from the log, and checkpoints of
 * them. It appends nothing.
 */
import { AppendRules, type BrokerHost, type Retention } from "@tailwire/server/broker-contract";
import { encodeCheckpoint, type StoredCheckpoint } from "./checkpoint.ts";
import { LogReader } from "./reader.ts";
import { lastOf, type StoredRecord } from "./record.ts";
import type { Current } from "./replica.ts";
import type { LogStream } from "./stream.ts";

/** Records that are read at once. */
const RECORDS_AT_ONCE = 256;

/** Publications between two checkpoints at least, and for each producer that is remembered. */
const SAVED_EVERY = 1_000;
const SAVED_EVERY_PRODUCER = 4;

/** How far a node's clock may be ahead of the others. */
const CLOCK_ERROR_MS = 3_600_000;

/** Nothing is trimmed where producers are looked for. */
const FOREVER: Retention = { count: Infinity, bytes: Infinity, maxAgeMs: Infinity };

export class Producers {
  readonly #token: string;
  readonly #host: BrokerHost;
  /** The log's last offset when this node last stored a checkpoint. */
  #savedAt = 0;

  constructor(token: string, host: BrokerHost) {
    this.#token = token;
    this.#host = host;
  }

  /**
   * The rules as of the log's last record, which `last` gives the sequence of. `since` is the instant from
   * which on the log has forgotten nobody.
   */
  async rules(current: Current, since: number, last: () => number): Promise<AppendRules> {
    const { stream } = current;
    const { clock } = this.#host;
    const from = await this.#window(current);
    const saved = await this.#saved(stream, from);
    const rules = new AppendRules(this.#host, clock.monotonic(), since, saved?.producers);
    // More may come while these are read.
    for (let read = saved?.sequence ?? from - 1; read < last();) {
      const end = last();
      for await (const record of stream.records(this.#token, read + 1, end, RECORDS_AT_ONCE)) {
        remember(rules, record, clock.monotonic());
      }
      read = end;
    }
    return rules;
  }

  /** Stores a checkpoint of the rules now and then, as of the log's last record. */
  save(rules: AppendRules, { stream, head }: Current): void {
    const last = lastOf(head);
    const every = Math.max(SAVED_EVERY, SAVED_EVERY_PRODUCER * rules.size);
    if (last - this.#savedAt < every) return;
    this.#savedAt = last;
    const { sequence, token } = head;
    const text = encodeCheckpoint({ sequence, token, producers: rules.checkpoint() });
    if (Buffer.byteLength(text) > stream.facts.payloadMax) return;
    // One that fails is left to the next.
    stream.save(this.#token, text).catch(() => undefined);
  }

  /** Sequence of the first record that says anything about a producer which is remembered. */
  async #window({ stream, head }: Current): Promise<number> {
    const { clock, dedupeMs } = this.#host;
    const reader = new LogReader(stream, this.#token, head, FOREVER, clock.now());
    // By the log's own time: a clock may be wrong, though hardly by more than an hour.
    const end = Math.max(head.timestamp, clock.now() - CLOCK_ERROR_MS);
    return reader.sequenceSince(end - 2 * dedupeMs);
  }

  /** The last checkpoint, where it saves reading. */
  async #saved(stream: LogStream, from: number): Promise<StoredCheckpoint | null> {
    const saved = await stream.checkpoint(this.#token);
    if (saved === null || saved.sequence < from) return null;
    // It may be about another log, which had the place of this one.
    const record = await stream.next(this.#token, saved.sequence);
    return record?.token === saved.token ? saved : null;
  }
}

/** Takes note of a record's publications. */
export function remember(rules: AppendRules, { first, entries }: StoredRecord, now: number): void {
  for (const [index, { producer }] of entries.entries()) {
    if (producer !== null) rules.seen(producer, first + index, now);
  }
}
