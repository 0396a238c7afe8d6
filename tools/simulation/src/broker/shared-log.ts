/**
 * One log of the simulated broker: it appends, trims and remembers ids as the contract says, and can
 * lose what real brokers lose: its end, or everything, each under a new epoch.
 *
 * It keeps the lineage of its epochs, so that a position in an old one is served where the logs
 * are the same up to there. It knows no node, and nothing of how calls travel.
 */
import {
  type Clock,
  ERROR_CODES,
  payloadText,
  type Position,
  type Random,
  type Start,
} from "@tailwire/protocol";
import {
  type Append,
  type AppendResult,
  type LogGap,
  type PageLimit,
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

export interface SharedLogOptions {
  readonly channel: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly retention: Retention;
  readonly dedupeMs: number;
  readonly dedupeRecordsMax: number;
  readonly witness: LogWitness;
}

interface DedupeRecord {
  readonly offset: number;
  readonly content: string;
  readonly producer: string;
  readonly sequence: number;
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
  /** Since when no id was forgotten before its time. */
  #since: number;
  readonly #records = new Map<string, DedupeRecord>();
  readonly #counts = new Map<string, number>();
  readonly #generations = new Map<string, number>();

  constructor(options: SharedLogOptions, since: number) {
    this.#options = options;
    this.#since = since;
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
    for (const [id, { offset }] of this.#records) {
      if (offset > end) this.#forget(id);
    }
    this.#begin(end);
  }

  /** Loses everything, ids and lineage too. */
  wipe(): void {
    const { clock } = this.#options;
    this.#entries = [];
    this.#edge = 0;
    this.#bytes = 0;
    this.#records.clear();
    this.#counts.clear();
    this.#generations.clear();
    this.#since = clock.monotonic();
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
    this.#forgetOld();
    const added: Publication[] = [];
    const holding = new Set<string>();
    const results = batch.map((append) => {
      const { producer } = append;
      if (producer !== null && holding.has(producer)) return refused("held");
      const result = this.#appendOne(append, added);
      const comesAgain = result.kind === "refused" && ERROR_CODES[result.code].retry;
      if (comesAgain && producer !== null) holding.add(producer);
      return result;
    });
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

  #appendOne(append: Append, added: Publication[]): AppendResult {
    const { producer, id, publisher, event, data } = append;
    const known = producer === null ? null : this.#lookUp(append, producer);
    if (known !== null) return known;
    const { clock, channel, witness } = this.#options;
    if (clock.now() > append.notAfter) return refused("expired");
    const offset = this.last + 1;
    const timestamp = Math.max(clock.now(), this.#entries.at(-1)?.timestamp ?? 0);
    const publication = { id, offset, timestamp, publisher, event, data };
    this.#entries.push(publication);
    this.#bytes += publicationBytes(publication);
    added.push(publication);
    if (producer !== null) this.#remember(append, offset, producer);
    witness.appended(channel, this.#epoch, publication);
    return { kind: "appended", position: { epoch: this.#epoch, offset, id }, duplicate: false };
  }

  #lookUp(append: Append, producer: string): AppendResult | null {
    const { id, generation, repeat } = append;
    if (generation < (this.#generations.get(producer) ?? 0)) return refused("fenced");
    this.#generations.set(producer, generation);
    const known = this.#records.get(id);
    if (known !== undefined) {
      if (known.content !== contentOf(append)) return refused("id_conflict");
      const position = { epoch: this.#epoch, offset: known.offset, id };
      return { kind: "appended", position, duplicate: true };
    }
    const { dedupeRecordsMax } = this.#options;
    if ((this.#counts.get(producer) ?? 0) >= dedupeRecordsMax) return refused("rate_limited");
    if (repeat === undefined) return null;
    const sure = this.#wouldKnow(repeat) && !this.#isOvertaken(append);
    return sure ? null : refused("indeterminate");
  }

  /** Whether its producer's next ones are here already [PUB-14]. */
  #isOvertaken({ producer, sequence = Infinity }: Append): boolean {
    const records = [...this.#records.values()];
    return records.some((known) => known.producer === producer && known.sequence > sequence);
  }

  /** Whether a repeat that isn't known was never appended, or was lost with a log's end [PUB-5]. */
  #wouldKnow(repeat: NonNullable<Append["repeat"]>): boolean {
    if (repeat.ageMs >= this.#options.dedupeMs) return false;
    if (repeat.epoch === this.#epoch) return true;
    if (this.#lineage.some(({ epoch }) => epoch === repeat.epoch)) return true;
    return this.#options.clock.monotonic() - repeat.ageMs >= this.#since;
  }

  #remember(append: Append, offset: number, producer: string): void {
    const at = this.#options.clock.monotonic();
    const { id, sequence = 0 } = append;
    this.#records.set(id, { offset, content: contentOf(append), producer, sequence, at });
    this.#counts.set(producer, (this.#counts.get(producer) ?? 0) + 1);
  }

  /** Forgets an id as soon as it may, so that whoever needs it longer is found out. */
  #forgetOld(): void {
    const oldest = this.#options.clock.monotonic() - this.#options.dedupeMs;
    for (const [id, { at }] of this.#records) {
      if (at >= oldest) return;
      this.#forget(id);
    }
  }

  #forget(id: string): void {
    const producer = this.#records.get(id)?.producer ?? "";
    this.#records.delete(id);
    this.#counts.set(producer, (this.#counts.get(producer) ?? 1) - 1);
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

function contentOf({ event, data, sent = data }: Append): string {
  return `${event}\n${payloadText(sent)}`;
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

function refused(code: Extract<AppendResult, { kind: "refused" }>["code"]): AppendResult {
  return { kind: "refused", code };
}
