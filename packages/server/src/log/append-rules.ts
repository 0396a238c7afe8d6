/**
 * The rules of appending: what a log takes, and what it answers to the rest.
 *
 * A log remembers each producer rather than each publication: the highest sequence appended, and the
 * places of publications that may still be sent again. A record is a function of what was appended,
 * so a log that stores producers in its entries can build it anew. Nothing may come between a
 * decision and its appends [PUB-4]; how a broker sees to that is its own business.
 *
 * This file reads no clock. Instants are milliseconds of one monotonic clock.
 */
import { ERROR_CODES } from "@tailwire/protocol";
import { SparseMap } from "../support/sparse.ts";
import type { Append, AppendRefusal, AppendResult, Producer } from "./broker.ts";

/** The part of an append that the rules look at. */
export type Candidate = Pick<Append, "id" | "producer" | "notAfter" | "repeat">;

/** The log that a batch is for. */
export interface LogState {
  readonly epoch: string;
  /** Offset of its last publication. */
  readonly last: number;
  /** Earlier epochs whose producers it remembers. */
  readonly continued?: readonly string[];
}

export interface Decision<Entry> {
  /** One for each entry of the batch. */
  readonly results: readonly AppendResult[];
  /** The entries to append, whose offsets follow the log's last. */
  readonly accepted: readonly Entry[];
}

export interface AppendRulesOptions {
  /** How long a producer is remembered after its last append at least; twice that at most. */
  readonly dedupeMs: number;
  /** A producer's publications above `settled` at most. */
  readonly window: number;
  /** Producers remembered at most: one more is refused, since none may be forgotten early. */
  readonly producersMax: number;
}

/** A publication that its producer may send again. */
interface Open {
  readonly sequence: number;
  readonly offset: number;
  readonly fingerprint: number;
}

interface ProducerRecord {
  readonly generation: number;
  /** The highest sequence appended. */
  readonly last: number;
  readonly settled: number;
  /** Appended above `settled`, in the order of their sequences. */
  readonly open: readonly Open[];
}

/** Records by their producers' ids, to be written down and read again. */
export type Checkpoint = readonly (readonly [string, ProducerRecord])[];

const NEW: ProducerRecord = { generation: 0, last: 0, settled: 0, open: [] };

export class AppendRules {
  readonly #options: AppendRulesOptions;
  /** Nothing that was appended from this instant on is forgotten before its time. */
  readonly #since: number;
  /** Producers that have appended in this period of `dedupeMs`. */
  #period = new SparseMap<string, ProducerRecord>();
  /** Producers that appended last in the period before. */
  #formerPeriod = new SparseMap<string, ProducerRecord>();
  #periodBegan: number;

  /** The producers of a checkpoint count as having appended at `now`. */
  constructor(
    options: AppendRulesOptions,
    now: number,
    since: number,
    checkpoint: Checkpoint = [],
  ) {
    this.#options = options;
    this.#since = since;
    this.#periodBegan = now;
    for (const [id, record] of checkpoint) this.#period.set(id, record);
  }

  /** Producers that are remembered. */
  get size(): number {
    return this.#period.size + this.#formerPeriod.size;
  }

  /**
   * Judges a batch in its order. It remembers nothing of it: {@link seen} is told of each that was
   * appended, and a broker that couldn't append may decide again.
   */
  decide<Entry extends Candidate>(
    batch: readonly Entry[],
    log: LogState,
    now: number,
  ): Decision<Entry> {
    this.#forget(now);
    const accepted: Entry[] = [];
    /** Records as they are once those before in the batch are appended. */
    const ahead = new SparseMap<string, ProducerRecord>();
    // An append that is refused for now comes again, and nothing behind it may be there first [PUB-12].
    const holding = new SparseMap<string, true>();
    let producers = this.size;
    const results = batch.map((entry): AppendResult => {
      const { id, producer } = entry;
      if (producer !== null && holding.has(producer.id)) return refused("held");
      const record = producer && (ahead.get(producer.id) ?? this.#recordOf(producer.id));
      const isOneTooMany = record === undefined && producers >= this.#options.producersMax;
      const verdict =
        (producer && this.#lookUp(entry, producer, record ?? NEW, log, now)) ??
        (isOneTooMany ? refused("rate_limited") : null) ??
        (now > entry.notAfter ? refused("expired") : null);
      if (verdict !== null) {
        if (producer !== null && mayComeAgain(verdict)) holding.set(producer.id, true);
        return verdict;
      }
      accepted.push(entry);
      const offset = log.last + accepted.length;
      if (record === undefined) producers += 1;
      if (producer !== null) ahead.set(producer.id, extended(record ?? NEW, producer, offset));
      return appended(log.epoch, offset, id, false);
    });
    return { results, accepted };
  }

  /** Takes note of what was appended, at an offset above all that were noted before. */
  seen(producer: Producer, offset: number, now: number): void {
    this.#forget(now);
    const { id } = producer;
    // Carried whole into this period, wherever it was before.
    this.#period.set(id, extended(this.#recordOf(id) ?? NEW, producer, offset));
    this.#formerPeriod.delete(id);
  }

  /** All that is remembered. {@link seen} tells its reader of what was appended since. */
  checkpoint(): Checkpoint {
    return [...this.#formerPeriod.entries(), ...this.#period.entries()];
  }

  /** The answer to a producer's append that isn't to be appended; null where it may be. */
  #lookUp(
    { id, repeat }: Candidate,
    { generation, sequence, settled, fingerprint }: Producer,
    record: ProducerRecord,
    log: LogState,
    now: number,
  ): AppendResult | null {
    if (generation < record.generation) return refused("fenced");
    const isSure = repeat === undefined || this.#reachesBackTo(repeat, log, now);
    if (sequence > record.last) {
      if (!isSure) return refused("indeterminate");
      const open = record.open.filter((one) => one.sequence > settled);
      return open.length < this.#options.window ? null : refused("rate_limited");
    }
    // Another program publishes as this session, or a program that began anew counts from 1 again.
    if (repeat === undefined) return refused("id_conflict");
    const known = record.open.find((one) => one.sequence === sequence);
    if (known === undefined) {
      return refused(isSure && sequence > record.settled ? "overtaken" : "indeterminate");
    }
    if (known.fingerprint !== fingerprint) return refused("id_conflict");
    return appended(log.epoch, known.offset, id, true);
  }

  /** Whether a repeat is remembered if it was ever appended to this log [PUB-5]. */
  #reachesBackTo(
    { since, epoch }: NonNullable<Candidate["repeat"]>,
    log: LogState,
    now: number,
  ): boolean {
    if (now - since >= this.#options.dedupeMs) return false;
    if (since >= this.#since || epoch === log.epoch) return true;
    return epoch !== undefined && log.continued?.includes(epoch) === true;
  }

  #recordOf(id: string): ProducerRecord | undefined {
    return this.#period.get(id) ?? this.#formerPeriod.get(id);
  }

  /** Forgets producers in two periods, so that none needs an instant of its own. */
  #forget(now: number): void {
    const periods = Math.floor((now - this.#periodBegan) / this.#options.dedupeMs);
    if (periods === 0) return;
    this.#formerPeriod = periods === 1 ? this.#period : new SparseMap();
    this.#period = new SparseMap();
    this.#periodBegan += periods * this.#options.dedupeMs;
  }
}

/** A producer's record with one more publication appended. */
function extended(record: ProducerRecord, producer: Producer, offset: number): ProducerRecord {
  const { generation, sequence, fingerprint } = producer;
  const settled = Math.max(record.settled, producer.settled);
  const open = record.open.filter((one) => one.sequence > settled);
  open.push({ sequence, offset, fingerprint });
  return { generation, last: sequence, settled, open };
}

function mayComeAgain(verdict: AppendResult): boolean {
  return verdict.kind === "refused" && ERROR_CODES[verdict.code].retry;
}

function appended(epoch: string, offset: number, id: string, duplicate: boolean): AppendResult {
  return { kind: "appended", position: { epoch, offset, id }, duplicate };
}

function refused(code: AppendRefusal): AppendResult {
  return { kind: "refused", code };
}
