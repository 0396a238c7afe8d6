/**
 * One log of the simulated broker: it appends by the rules, trims, and can
 * lose what real brokers lose: its end, or everything, each under a new epoch.
 *
 * It keeps the lineage of its epochs, so that a position in an old one is served where the logs
 * are the same up to there. It knows no node, and nothing of how calls travel.
 */
import type { Clock, Position, Random, Start } from "@tailwire/protocol";
import {
  type Append,
  type AppendResult,
  AppendRules,
  type AppendRulesOptions,
  type LogGap,
  type PageLimit,
  type Producer,
  type Publication,
  publicationBytes,
  type ReadResult,
  type Retention,
} from "@tailwire/server/broker-contract";
import type { Listener, StoredLog } from "./stored-log.ts";

/** Called with every change of a log. */
export interface LogWitness {
  began(channel: string, epoch: string, parent: string | null, at: number): void;
  appended(channel: string, epoch: string, publication: Publication): void;
  /** `early`: more than retention asks for. */
  trimmed(channel: string, epoch: string, edge: number, early: boolean): void;
}

export interface SharedLogOptions extends AppendRulesOptions {
  readonly channel: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly retention: Retention;
  readonly witness: LogWitness;
}

/** The producer of an entry, as a log on disk keeps it beside the entry. */
interface Produced {
  readonly producer: Producer;
  readonly offset: number;
  readonly at: number;
}

export class SharedLog implements StoredLog {
  readonly listeners = new Set<Listener>();
  readonly #options: SharedLogOptions;
  #epoch: string;
  /** Former epochs, the newest first, and up to where this log has what they had. */
  #lineage: { readonly epoch: string; readonly end: number }[] = [];
  /** Everything of this incarnation, trimmed or not: an offset is its place here, plus one. */
  #entries: Publication[] = [];
  #edge = 0;
  #bytes = 0;
  /** Since when no producer was forgotten before its time. */
  #since: number;
  #produced: Produced[] = [];
  #rules: AppendRules;

  constructor(options: SharedLogOptions, since: number) {
    this.#options = options;
    this.#since = since;
    this.#rules = this.#rebuilt();
    this.#epoch = options.random.token();
    options.witness.began(options.channel, this.#epoch, null, 0);
  }

  get last(): number {
    return this.#entries.length;
  }

  get retained(): number {
    return this.last - this.#edge;
  }

  // Faults

  /** Goes on under a new epoch, without its last publications: their offsets are used again. */
  lose(count: number): void {
    const end = this.last - Math.min(count, this.retained);
    for (const lost of this.#entries.splice(end)) this.#bytes -= publicationBytes(lost);
    this.#produced = this.#produced.filter(({ offset }) => offset <= end);
    this.#rules = this.#rebuilt();
    this.#begin(end);
  }

  /** Loses everything, ids and lineage too. */
  wipe(): void {
    const { clock } = this.#options;
    this.#entries = [];
    this.#edge = 0;
    this.#bytes = 0;
    this.#produced = [];
    this.#since = clock.monotonic();
    this.#rules = this.#rebuilt();
    this.#begin(null);
  }

  /** Trims more than retention asks for, as a broker does whose memory is full. */
  shed(count: number): void {
    this.#trimTo(Math.min(this.last, this.#edge + count), true);
  }

  #begin(end: number | null): void {
    const { channel, random, witness } = this.#options;
    const parent = this.#epoch;
    this.#epoch = random.token();
    this.#lineage =
      end === null
        ? []
        : [
            { epoch: parent, end },
            ...this.#lineage.map((former) => ({ ...former, end: Math.min(former.end, end) })),
          ];
    witness.began(channel, this.#epoch, end === null ? null : parent, end ?? 0);
  }

  // The contract

  append(batch: readonly Append[]): readonly AppendResult[] {
    const now = this.#options.clock.monotonic();
    const log = {
      epoch: this.#epoch,
      last: this.last,
      continued: this.#lineage.map(({ epoch }) => epoch),
    };
    const { results, accepted } = this.#rules.decide(batch, log, now);
    const added = accepted.map((append) => this.#add(append, now));
    this.#trim();
    if (added.length > 0) for (const listener of this.listeners) listener(this.#epoch, added);
    return results;
  }

  read(after: Position, limit: PageLimit): ReadResult {
    this.#trim();
    const gap = this.#gapAt(after);
    const { offset } = gap?.continuesAfter ?? after;
    const publications = fitting(this.#entries.slice(offset, offset + limit.count), limit);
    if (gap !== null) return { kind: "gap", gap, publications };
    return { kind: "publications", epoch: this.#epoch, publications };
  }

  readBack(before: Position | null, limit: PageLimit): ReadResult {
    this.#trim();
    const gap = before === null ? null : this.#gapAt(before);
    if (gap !== null && gap.reason !== "trimmed") return { kind: "gap", gap, publications: [] };
    const end = before === null ? this.last : Math.max(this.#edge, before.offset - 1);
    const preceding = this.#entries.slice(Math.max(this.#edge, end - limit.count), end);
    const publications = fitting(preceding.toReversed(), limit).toReversed();
    return { kind: "publications", epoch: this.#epoch, publications };
  }

  locate(start: Exclude<Start, Position>): Position {
    this.#trim();
    if (start === "latest") return this.#position(this.last);
    if (start === "earliest") return this.#position(this.#edge);
    if ("count" in start.rewind) {
      return this.#position(Math.max(this.#edge, this.last - start.rewind.count));
    }
    const oldest = this.#options.clock.now() - start.rewind.ageMs;
    let offset = this.last;
    while (offset > this.#edge && (this.#entries[offset - 1]?.timestamp ?? 0) >= oldest)
      offset -= 1;
    return this.#position(offset);
  }

  get position(): Position {
    return this.#position(this.last);
  }

  #add({ producer, id, publisher, event, data }: Append, at: number): Publication {
    const { clock, channel, witness } = this.#options;
    const offset = this.last + 1;
    const timestamp = Math.max(clock.now(), this.#entries.at(-1)?.timestamp ?? 0);
    const publication = { id, offset, timestamp, publisher, event, data };
    this.#entries.push(publication);
    this.#bytes += publicationBytes(publication);
    if (producer !== null) {
      this.#produced.push({ producer, offset, at });
      this.#rules.seen(producer, offset, at);
    }
    witness.appended(channel, this.#epoch, publication);
    return publication;
  }

  /** The rules as a log makes them anew from its end: producers count as having appended now. */
  #rebuilt(): AppendRules {
    const now = this.#options.clock.monotonic();
    const oldest = now - 2 * this.#options.dedupeMs;
    this.#produced = this.#produced.filter(({ at }) => at >= oldest);
    const rules = new AppendRules(this.#options, now, this.#since);
    for (const { producer, offset } of this.#produced) rules.seen(producer, offset, now);
    return rules;
  }

  #trim(): void {
    const { clock, retention } = this.#options;
    const oldest = clock.now() - retention.maxAgeMs;
    let edge = this.#edge;
    let bytes = this.#bytes;
    for (; edge < this.last; edge += 1) {
      const first = this.#entries[edge] as Publication;
      const left = this.last - edge;
      const fits = left <= retention.count && (bytes <= retention.bytes || left === 1);
      if (fits && first.timestamp >= oldest) break;
      bytes -= publicationBytes(first);
    }
    this.#trimTo(edge, false);
  }

  #trimTo(edge: number, early: boolean): void {
    if (edge === this.#edge) return;
    for (const gone of this.#entries.slice(this.#edge, edge)) this.#bytes -= publicationBytes(gone);
    this.#edge = edge;
    this.#options.witness.trimmed(this.#options.channel, this.#epoch, edge, early);
  }

  #gapAt(after: Position): LogGap | null {
    const { epoch, offset, id } = after;
    if (epoch !== this.#epoch) {
      const former = this.#lineage.find((one) => one.epoch === epoch);
      if (former === undefined) return this.#gap("epoch", this.#edge, null);
      if (offset > former.end) {
        return this.#gap("diverged", Math.max(former.end, this.#edge), null);
      }
    }
    if (offset > this.last) return this.#gap("ahead", this.last, null);
    if (offset < this.#edge) return this.#gap("trimmed", this.#edge, this.#edge - offset);
    const known = this.#entries[offset - 1]?.id ?? null;
    const same = id === null || known === null || id === known;
    return same ? null : this.#gap("diverged", this.#edge, null);
  }

  #gap(reason: LogGap["reason"], offset: number, lost: number | null): LogGap {
    const continuesAfter = this.#position(offset);
    return { reason, to: continuesAfter, continuesAfter, lost };
  }

  #position(offset: number): Position {
    return { epoch: this.#epoch, offset, id: this.#entries[offset - 1]?.id ?? null };
  }
}

/** As many of the first as a page may carry: one at least, however large. */
function fitting(publications: readonly Publication[], limit: PageLimit): readonly Publication[] {
  let bytes = 0;
  const end = publications.findIndex((publication, index) => {
    bytes += publicationBytes(publication);
    return index >= limit.count || (bytes > limit.bytes && index > 0);
  });
  return end < 0 ? publications : publications.slice(0, end);
}
