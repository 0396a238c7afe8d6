/**
 * One log of a disk broker: where its publications are stored, the rules by which it grows, and who follows
 * it. It changes only when something was synced, so nobody is ever told of what a crash could take back.
 */
import type { Clock, Position, Start } from "@tailwire/protocol";
import { AppendRules } from "../../log/append-rules.ts";
import {
  type Append,
  type AppendResult,
  type PageLimit,
  type Producer,
  type Publication,
  publicationBytes,
  type ReadResult,
  type Retention,
  type Tail,
  type TailListener,
} from "../../log/broker.ts";
import type { BrokerHost } from "../../log/broker-host.ts";
import { KeptLog, type KeptStart, readResult } from "../../log/kept-log.ts";
import { type LogContent, publicationRecord, retentionFrom, storedRetention } from "./contents.ts";
import type { FoundLog } from "./recovery.ts";
import { type Place, publicationsAt, type Segment } from "./segment.ts";
import type { Writer } from "./writer.ts";

/** A publication that isn't written yet. */
interface Draft {
  readonly publication: Publication;
  readonly producer: Producer | null;
  readonly record: Buffer;
}

export class DiskLog {
  readonly channel: string;
  readonly #host: BrokerHost;
  readonly #clock: Clock;
  readonly #rules: AppendRules;
  #retention: Retention;
  #kept: KeptLog<Place>;
  #lastAt: number;
  /** One per node, of which there is mostly one. */
  #listeners: readonly TailListener[] = [];
  #usedAt: number;
  /** Appends that are under way. */
  #appending = 0;

  /** `since`: the instant from which on no producer was forgotten before its time. */
  constructor(host: BrokerHost, since: number, found: FoundLog) {
    const { content, appended } = found;
    const { channel, lastAt, retention, producers } = content;
    this.channel = channel;
    this.#host = host;
    this.#clock = host.clock;
    this.#usedAt = host.clock.monotonic();
    this.#rules = new AppendRules(host, this.#usedAt, since, producers);
    for (const { producer, offset } of appended) this.#rules.seen(producer, offset, this.#usedAt);
    this.#retention = retentionFrom(retention);
    const { start, retained } = unbroken(found);
    this.#kept = filled(this.#retention, start, retained);
    this.#lastAt = Math.max(lastAt, retained.at(-1)?.timestamp ?? 0);
  }

  /** Its places that are retained now. */
  places(): Iterable<Place> {
    const { retained } = this.#kept;
    retained.trim(this.#clock.now());
    return retained.after(retained.edge);
  }

  /** The retention may be another than the one of the last process. */
  retain(retention: Retention): void {
    if (isSame(retention, this.#retention)) return;
    this.#retention = retention;
    const { epoch, retained } = this.#kept;
    const { edge, edgeId } = retained;
    const start = { epoch, offset: edge, id: edgeId };
    this.#kept = filled(retention, start, [...retained.after(edge)]);
  }

  /** Appends with the next group that is written. @throws as `BrokerLog.append`. */
  async append(batch: readonly Append[], writer: Writer): Promise<readonly AppendResult[]> {
    this.#appending += 1;
    let results: readonly AppendResult[] = [];
    let drafts: readonly Draft[] = [];
    try {
      await writer.write({
        channel: this.channel,
        records: () => {
          ({ results, drafts } = this.#draft(batch));
          return drafts.map(({ record }) => record);
        },
        written: (segment, starts) => this.#add(drafts, segment, starts),
      });
      return results;
    } finally {
      this.#appending -= 1;
      this.#touch();
    }
  }

  async read(after: Position, limit: PageLimit): Promise<ReadResult> {
    this.#touch();
    const { epoch } = this.#kept;
    const { gap, entries } = this.#kept.pageAfter(after, limit, this.#clock.now());
    return readResult(epoch, gap, await publicationsAt(entries));
  }

  async readBack(before: Position | null, limit: PageLimit): Promise<ReadResult> {
    this.#touch();
    const { epoch } = this.#kept;
    const { gap, entries } = this.#kept.pageBefore(before, limit, this.#clock.now());
    return readResult(epoch, gap, await publicationsAt(entries));
  }

  locate(start: Exclude<Start, Position>): Position {
    this.#touch();
    return this.#kept.locate(start, this.#clock.now());
  }

  tail(listener: TailListener): Tail {
    this.#touch();
    this.#listeners = this.#listeners.concat(listener);
    return { position: this.locate("latest"), close: () => this.#leave(listener) };
  }

  /** Whether it can be forgotten: nobody follows it, nothing is retained, no id may come again. */
  idle(): boolean {
    const { retained } = this.#kept;
    retained.trim(this.#clock.now());
    const unusedMs = this.#clock.monotonic() - this.#usedAt;
    return (
      this.#listeners.length === 0 &&
      this.#appending === 0 &&
      retained.count === 0 &&
      unusedMs > Math.max(2 * this.#host.dedupeMs, this.#retention.maxAgeMs)
    );
  }

  /** As it stands now, to be written down. */
  content(): LogContent {
    const { epoch, retained } = this.#kept;
    return {
      channel: this.channel,
      epoch,
      last: retained.last,
      lastId: retained.lastId,
      lastAt: this.#lastAt,
      retention: storedRetention(this.#retention),
      producers: this.#rules.checkpoint(),
    };
  }

  /** Decides on a batch, right before it is written. */
  #draft(batch: readonly Append[]): {
    readonly results: readonly AppendResult[];
    readonly drafts: readonly Draft[];
  } {
    const { epoch, retained } = this.#kept;
    const { last } = retained;
    const now = this.#clock.monotonic();
    const { results, accepted } = this.#rules.decide(batch, { epoch, last }, now);
    // The clock may go back; a log's timestamps don't.
    const timestamp = Math.max(this.#clock.now(), this.#lastAt);
    const drafts = accepted.map((append, index) => {
      const { id, publisher, event, data, producer } = append;
      const publication = { id, offset: last + 1 + index, timestamp, publisher, event, data };
      const record = publicationRecord(publication, { channel: this.channel, epoch, producer });
      return { publication, producer, record };
    });
    return { results, drafts };
  }

  /** Adds what was written, and tells those who follow the log. */
  #add(drafts: readonly Draft[], segment: Segment, starts: readonly number[]): void {
    const now = this.#clock.monotonic();
    const { epoch, retained } = this.#kept;
    for (const [index, { publication, producer, record }] of drafts.entries()) {
      const { id, offset, timestamp } = publication;
      const size = publicationBytes(publication);
      const at = starts[index] as number;
      retained.add({ id, offset, timestamp, size, segment, at, length: record.length });
      if (producer !== null) this.#rules.seen(producer, offset, now);
      this.#lastAt = timestamp;
    }
    retained.trim(this.#clock.now());
    if (drafts.length === 0) return;
    const publications = drafts.map(({ publication }) => publication);
    for (const listener of this.#listeners) listener.push(epoch, publications);
  }

  #leave(listener: TailListener): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
    this.#touch();
  }

  #touch(): void {
    this.#usedAt = this.#clock.monotonic();
  }
}

/** The content of a log that doesn't exist yet. */
export function newLog(channel: string, epoch: string, retention: Retention): LogContent {
  const last = { last: 0, lastId: null, lastAt: 0 };
  return { channel, epoch, ...last, retention: storedRetention(retention), producers: [] };
}

function isSame(one: Retention, other: Retention): boolean {
  return one.count === other.count && one.bytes === other.bytes && one.maxAgeMs === other.maxAgeMs;
}

function filled(retention: Retention, start: KeptStart, places: readonly Place[]): KeptLog<Place> {
  const kept = new KeptLog<Place>(retention, start, ({ size }) => size);
  for (const place of places) kept.retained.add(place);
  return kept;
}

/** The places that reach without a hole up to the log's last, and where they begin. */
function unbroken({ content, places }: FoundLog): { start: KeptStart; retained: readonly Place[] } {
  const { epoch, lastId } = content;
  let { last } = content;
  for (const offset of places.keys()) last = Math.max(last, offset);
  let offset = last;
  while (places.has(offset)) offset -= 1;
  const retained = Array.from(
    { length: last - offset },
    (_, index) => places.get(offset + 1 + index) as Place,
  );
  return { start: { epoch, offset, id: offset === content.last ? lastId : null }, retained };
}
