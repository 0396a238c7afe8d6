/**
 * One channel on one node: it decides appends by the rules, which it keeps as of the log's last record, and
 * tells those who follow the log what was appended.
 */
import { ERROR_CODES, tailwireError } from "@tailwire/protocol";
import {
  type Append,
  type AppendResult,
  type AppendRules,
  type BrokerHost,
  publicationBytes,
  type Retention,
  type Tail,
  type TailListener,
} from "@tailwire/server/broker-contract";
import { unavailableOr } from "./failures.ts";
import type { Link } from "./link.ts";
import { LogReader } from "./reader.ts";
import { lastOf, publicationsOf, type StoredRecord } from "./record.ts";
import { Producers, remember } from "./producers.ts";
import { type Current, Replica, type ReplicaOwner } from "./replica.ts";
import { Trimming } from "./trimming.ts";

/** Bytes of a record beside its entries, and of an entry beside its publication. */
const RECORD_BYTES = 4_096;
const ENTRY_BYTES = 256;

/** By how much base64 and escapes lengthen a publication. */
const GROWTH = 1.5;

export class Channel implements ReplicaOwner {
  readonly #link: Link;
  readonly #host: BrokerHost;
  readonly #token: string;
  readonly #replica: Replica;
  readonly #producers: Producers;
  readonly #trimming: Trimming;
  readonly #listeners = new Set<TailListener>();
  /** As of the replica's last record; null before the first append. */
  #rules: AppendRules | null = null;
  /** Since when this log has forgotten nobody, where it is another one than it was. */
  #since = -Infinity;
  /** How often the replica has jumped. */
  #losses = 0;
  /** Settles when the appends that were asked for before have ended. */
  #turn: Promise<unknown> = Promise.resolve();
  #usedAt: number;

  constructor(token: string, link: Link, host: BrokerHost) {
    this.#token = token;
    this.#link = link;
    this.#host = host;
    this.#usedAt = host.clock.monotonic();
    this.#replica = new Replica(token, link, host, this);
    this.#producers = new Producers(token, host);
    this.#trimming = new Trimming(token, host);
  }

  get isFollowed(): boolean {
    return this.#listeners.size > 0;
  }

  /** Whether it can be forgotten: the log has it all. Its rules have forgotten all producers before that. */
  isIdle(): boolean {
    const unusedMs = this.#host.clock.monotonic() - this.#usedAt;
    return !this.isFollowed && unusedMs > 4 * this.#host.dedupeMs;
  }

  /** Appends after what was given before. @throws as a broker's `append`. */
  append(batch: readonly Append[], retention: Retention): Promise<readonly AppendResult[]> {
    const appended = this.#turn.then(() => this.#appendAll(batch, retention));
    this.#turn = appended.catch(() => undefined);
    return appended;
  }

  /** The log as it is now. */
  async reader(retention: Retention): Promise<LogReader> {
    this.#touch();
    return this.#readerOf(await this.#replica.current(), retention);
  }

  async tail(listener: TailListener, retention: Retention): Promise<Tail> {
    const reader = await this.reader(retention);
    // The same listener may follow twice.
    const own: TailListener = {
      push: (epoch, publications) => listener.push(epoch, publications),
      suspect: () => listener.suspect(),
    };
    this.#listeners.add(own);
    const close = (): void => {
      this.#listeners.delete(own);
      this.#touch();
    };
    return { position: reader.latest(), close };
  }

  /** The connection is a new one: the log is followed on it. */
  renewed(): void {
    if (this.isFollowed) this.#replica.current().catch(() => undefined);
  }

  /** Looks whether anything was pushed in vain. */
  async probe(): Promise<void> {
    await this.#replica.probe();
  }

  /** Appends an empty record where the last one is so old that the stream would delete it. */
  async refresh(old: number): Promise<void> {
    const { known } = this.#replica;
    if (known === null || known.head.timestamp >= old) return;
    const deadline = this.#host.clock.monotonic() + this.#host.appendMs;
    await this.#replica.place(this.#replica.following(known, []), deadline);
  }

  close(): void {
    this.#replica.close();
  }

  grew(record: StoredRecord): void {
    if (this.#rules !== null) remember(this.#rules, record, this.#host.clock.monotonic());
    const publications = publicationsOf(record);
    for (const listener of this.#listeners) listener.push(record.epoch, publications);
  }

  missed(): void {
    this.#losses += 1;
    this.#rules = null;
    for (const listener of this.#listeners) listener.suspect();
  }

  lost(): void {
    this.#since = this.#host.clock.monotonic();
    this.missed();
  }

  async #appendAll(
    batch: readonly Append[],
    retention: Retention,
  ): Promise<readonly AppendResult[]> {
    this.#touch();
    const portions = portionsOf(batch, this.#link.current?.facts.payloadMax);
    const results: AppendResult[] = [];
    const holding = new Set<string>();
    for (const portion of portions) {
      results.push(
        ...(await this.#appendFree(portion, holding).catch((error: unknown) => {
          throw results.length > 0 ? tailwireError("indeterminate", String(error)) : error;
        })),
      );
    }
    const { known } = this.#replica;
    if (known !== null) this.#trimming.run(known.stream, this.#readerOf(known, retention));
    if (known !== null && this.#rules !== null) this.#producers.save(this.#rules, known);
    return results;
  }

  /** Holds back what is behind a refusal of its producer in an earlier portion [PUB-12]. */
  async #appendFree(
    portion: readonly Append[],
    holding: Set<string>,
  ): Promise<readonly AppendResult[]> {
    const isFree = ({ producer }: Append): boolean =>
      producer === null || !holding.has(producer.id);
    const outcomes = await this.#appendPortion(portion.filter(isFree));
    const left = outcomes.values();
    const results = portion.map((append) => (isFree(append) ? left.next().value : HELD) ?? HELD);
    for (const [index, result] of results.entries()) {
      const producer = portion[index]?.producer?.id;
      const mayComeAgain = result.kind === "refused" && ERROR_CODES[result.code].retry;
      if (mayComeAgain && producer !== undefined) holding.add(producer);
    }
    return results;
  }

  /** Decides on them and appends what is accepted as one record, until no other node's comes between. */
  async #appendPortion(portion: readonly Append[]): Promise<readonly AppendResult[]> {
    const { clock, appendMs } = this.#host;
    const began = clock.monotonic();
    let isFresh = false;
    for (;;) {
      const { known } = this.#replica;
      if (known === null || this.#rules === null) {
        await unavailableOr(() => this.#prepare());
        isFresh = true;
        continue;
      }
      const { head } = known;
      const continued = head.lineage.map(([epoch]) => epoch);
      const log = { epoch: head.epoch, last: lastOf(head), continued };
      const { results, accepted } = this.#rules.decide(portion, log, clock.monotonic());
      if (accepted.length > 0) {
        const record = this.#replica.following(known, accepted);
        // Sent again after that, it could be in the log when its node has given up.
        const notAfter = Math.min(...accepted.map((append) => append.notAfter));
        const deadline = Math.min(began + appendMs, notAfter);
        if (await this.#replica.place(record, deadline)) return results;
        continue;
      }
      // An append is compared with the log itself; a refusal by an old state of it may be wrong.
      if (isFresh || results.every(({ kind }) => kind === "appended")) return results;
      await unavailableOr(() => this.#replica.current());
      isFresh = true;
    }
  }

  /** Builds the rules from the log. */
  async #prepare(): Promise<void> {
    const current = await this.#replica.current();
    if (this.#rules !== null) return;
    const losses = this.#losses;
    const since = Math.max(this.#since, current.stream.facts.since);
    const rules = await this.#producers.rules(current, since, () => this.#replica.last);
    if (losses === this.#losses) this.#rules = rules;
  }

  #readerOf({ stream, head }: Current, retention: Retention): LogReader {
    return new LogReader(stream, this.#token, head, retention, this.#host.clock.now());
  }

  #touch(): void {
    this.#usedAt = this.#host.clock.monotonic();
  }
}

const HELD: AppendResult = { kind: "refused", code: "held" };

/** Parts of a batch that fit a message of NATS each, by an estimate that is rather too large. */
function portionsOf(
  batch: readonly Append[],
  payloadMax = Infinity,
): readonly (readonly Append[])[] {
  const portions: Append[][] = [];
  let room = 0;
  for (const append of batch) {
    const size = Math.ceil(publicationBytes(append) * GROWTH) + ENTRY_BYTES;
    if (size > room) {
      portions.push([]);
      room = payloadMax - RECORD_BYTES;
    }
    portions.at(-1)?.push(append);
    room -= size;
  }
  return portions;
}
