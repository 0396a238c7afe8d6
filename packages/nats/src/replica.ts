/**
 * A node's view of one channel's log: its last record, kept up by the records that NATS publishes again,
 * and compared with the stream. Its owner hears of every record in order, or that some were missed.
 *
 * It appends records, and knows no rules of appending.
 */
import { tailwireError } from "@tailwire/protocol";
import { type BrokerHost, pause } from "@tailwire/server/broker-contract";
import type { Link } from "./link.ts";
import { bytesOf, encodeRecord, lastIdOf, lastOf } from "./record.ts";
import type { Ancestor, Entry, LogRecord, StoredRecord } from "./record.ts";
import { type LogStream, NotStored, PlaceTaken } from "./stream.ts";

/** Records that are read at once. */
const RECORDS_AT_ONCE = 256;

/** Publications that are read after a break at most; more are jumped over. */
const MISSED_MAX = 2_000;

/** Epochs before the present one that a log remembers. */
const LINEAGE_MAX = 8;

/** How long the record that took a place is waited for, before the stream is asked for it. */
const PUSH_MS = 5;

/** Milliseconds between attempts to learn what became of a record. */
const RESOLVE_MS = 100;

/** The owner of a replica. */
export interface ReplicaOwner {
  /** The next record is in the log. */
  grew(record: StoredRecord): void;
  /** The replica has jumped over records. */
  missed(): void;
  /** The log was emptied, or another one is in its place. */
  lost(): void;
}

/** A log that can be worked with: its stream, and its last record. */
export interface Current {
  readonly stream: LogStream;
  readonly head: StoredRecord;
}

/** The subscription to a log on one connection. */
interface Followed {
  readonly stream: LogStream;
  readonly stop: Promise<() => void>;
}

export class Replica {
  readonly #token: string;
  readonly #link: Link;
  readonly #host: BrokerHost;
  readonly #owner: ReplicaOwner;
  #head: StoredRecord | null = null;
  #followed: Followed | null = null;
  /** Own records on their way by their names, and whether each was seen in the log. */
  readonly #placing = new Map<string, boolean>();
  /** The refresh that runs, and the one that begins after it. */
  #refreshing: Promise<unknown> = Promise.resolve();
  #nextRefresh: Promise<void> | null = null;
  /** Called when the next record has come. */
  #awaiting: (() => void)[] = [];

  constructor(token: string, link: Link, host: BrokerHost, owner: ReplicaOwner) {
    this.#token = token;
    this.#link = link;
    this.#host = host;
    this.#owner = owner;
  }

  /** The log as this node knows it, which may be behind; null where it has to be asked for. */
  get known(): Current | null {
    const { current: stream } = this.#link;
    const head = this.#head;
    if (stream === null || this.#followed?.stream !== stream) return null;
    return head?.history === stream.facts.history ? { stream, head } : null;
  }

  /** Sequence of the last record that this node knows of; 0 where there is none. */
  get last(): number {
    return this.#head?.sequence ?? 0;
  }

  /**
   * The log as it is now, followed from here on. A log that isn't there yet, or belongs to another store,
   * begins an epoch.
   *
   * @throws `unavailable`, or any other error.
   */
  async current(): Promise<Current> {
    const deadline = this.#host.clock.monotonic() + this.#host.appendMs;
    for (;;) {
      await this.#compare(await this.#link.stream());
      const known = this.known;
      if (known !== null) return known;
      const stream = await this.#link.stream();
      const { history } = stream.facts;
      if (this.#head?.history !== history) await this.place(this.#newEpoch(history), deadline);
    }
  }

  /** A record that follows the last one and goes on with its epoch. */
  following({ stream, head }: Current, entries: readonly Entry[]): LogRecord {
    return this.#after(head, stream.facts.history, head.epoch, head.lineage, entries);
  }

  /** Compares with the stream where that has a record which this node hasn't heard of. */
  async probe(): Promise<void> {
    const stream = await this.#link.stream();
    const isFollowed = this.#followed?.stream === stream;
    const isBehind = !isFollowed || (await stream.glimpse(this.#token, this.last + 1)) !== null;
    if (isBehind) await this.#compare(stream);
  }

  /**
   * Appends a record right after the one that it names. True once it is in the log, false when another
   * has its place. Where an answer is lost, the log is read: the record is there, or its place is taken, or
   * it is sent again, which can't append it twice.
   *
   * @throws `unavailable` when it certainly isn't there, `indeterminate` when nobody knows, `too_large`.
   */
  async place(record: LogRecord, deadline: number): Promise<boolean> {
    const text = encodeRecord(record);
    const { payloadMax = Infinity } = this.#link.current?.facts ?? {};
    if (Buffer.byteLength(text) > payloadMax) {
      throw tailwireError("too_large", `NATS takes ${payloadMax} bytes, by its option max_payload`);
    }
    this.#placing.set(record.token, false);
    let mayBeThere = false;
    try {
      for (;;) {
        const failure = await this.#send(record, text);
        if (failure === null) return true;
        const isTaken = failure instanceof PlaceTaken;
        mayBeThere ||= !isTaken && !(failure instanceof NotStored);
        if (isTaken) await this.#pushed(record.after);
        if (!isTaken || this.#isLast(record.after)) await this.#look(deadline, mayBeThere);
        if (this.#placing.get(record.token) === true) return true;
        if (!this.#isLast(record.after)) return false;
        // A server that has lost its store, or was started again, doesn't get it from an old connection.
        if (this.#link.current?.facts.history !== record.history) return false;
        this.#giveUpAt(deadline, mayBeThere, failure);
        // Another record has the place, and can't be read yet: it will be at once.
        await pause(this.#host.clock, isTaken ? PUSH_MS : RESOLVE_MS);
      }
    } finally {
      this.#placing.delete(record.token);
    }
  }

  /** Stops following. */
  close(): void {
    this.#followed?.stop.then((stop) => stop()).catch(() => undefined);
    this.#followed = null;
  }

  /** Null when the record is in the log. */
  async #send(record: LogRecord, text: string): Promise<Error | null> {
    try {
      const stream = this.#link.current;
      if (stream?.facts.history !== record.history) return new NotStored("the connection broke");
      const sequence = await stream.append(this.#token, record.after, text);
      this.#take({ ...record, sequence });
      return null;
    } catch (error) {
      return error as Error;
    }
  }

  /** Compares with the stream as soon as that can be read. */
  async #look(deadline: number, mayBeThere: boolean): Promise<void> {
    for (;;) {
      try {
        await this.#compare(await this.#link.stream());
        return;
      } catch (error) {
        this.#giveUpAt(deadline, mayBeThere, error as Error);
        await pause(this.#host.clock, RESOLVE_MS);
      }
    }
  }

  #giveUpAt(deadline: number, mayBeThere: boolean, { message }: Error): void {
    if (this.#host.clock.monotonic() < deadline) return;
    throw tailwireError(mayBeThere ? "indeterminate" : "unavailable", message);
  }

  #isLast(sequence: number): boolean {
    return this.last === sequence;
  }

  /** Settles when a record has come after the one of that sequence, or soon after. */
  #pushed(sequence: number): Promise<void> {
    if (!this.#isLast(sequence)) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#host.clock.after(PUSH_MS, resolve);
      this.#awaiting.push(() => {
        cancel();
        resolve();
      });
    });
  }

  #newEpoch(history: string): LogRecord {
    const head = this.#head;
    const ancestors: readonly Ancestor[] =
      head === null ? [] : [[head.epoch, lastOf(head)], ...head.lineage];
    const epoch = this.#host.random.token();
    return this.#after(head, history, epoch, ancestors.slice(0, LINEAGE_MAX), []);
  }

  #after(
    head: StoredRecord | null,
    history: string,
    epoch: string,
    lineage: readonly Ancestor[],
    entries: readonly Entry[],
  ): LogRecord {
    return {
      token: this.#host.random.token(),
      after: head?.sequence ?? 0,
      epoch,
      lineage,
      history,
      first: head === null ? 1 : lastOf(head) + 1,
      idBefore: head === null ? null : lastIdOf(head),
      bytesBefore: head === null ? 0 : bytesOf(head),
      // The clock may go back; a log's timestamps don't.
      timestamp: Math.max(this.#host.clock.now(), head?.timestamp ?? 0),
      entries,
    };
  }

  /** Follows the log, and reads what it has more. Callers during one comparison share the next one. */
  #compare(stream: LogStream): Promise<void> {
    this.#nextRefresh ??= this.#refreshing.then(async () => {
      this.#nextRefresh = null;
      await this.#follow(stream);
      await this.#refresh(stream);
    });
    this.#refreshing = this.#nextRefresh.catch(() => undefined);
    return this.#nextRefresh;
  }

  async #follow(stream: LogStream): Promise<void> {
    if (this.#followed?.stream !== stream) {
      this.close();
      const heard = (record: StoredRecord): void => {
        if (!this.#take(record)) void this.#compare(stream).catch(() => undefined);
      };
      const failed = (error: unknown): void => {
        this.#host.logger.error({ error, record: this.#token }, "a record can't be read");
        this.#owner.missed();
      };
      this.#followed = { stream, stop: stream.follow(this.#token, heard, failed) };
    }
    const { stop } = this.#followed;
    await stop.catch((error: unknown) => {
      this.#followed = null;
      throw error;
    });
  }

  async #refresh(stream: LogStream): Promise<void> {
    const known = this.#head;
    const last = await stream.last(this.#token);
    const now = this.#head;
    if (last === null || (known !== null && !mayFollow(last, known))) {
      // The answer is about the log as it was when it was asked for, or later.
      if (known !== null && now?.token === known.token) this.#begin(last, () => this.#owner.lost());
      return;
    }
    if (now === null) return this.#begin(last, () => undefined);
    if (this.#take(last)) return;
    const isTooMuch = lastOf(last) - lastOf(now) > MISSED_MAX && this.#placing.size === 0;
    if (isTooMuch) return this.#begin(last, () => this.#owner.missed());
    await this.#catchUp(stream, last);
  }

  async #catchUp(stream: LogStream, last: StoredRecord): Promise<void> {
    const from = this.last + 1;
    for await (const record of stream.records(this.#token, from, last.sequence, RECORDS_AT_ONCE)) {
      if (!this.#take(record)) return this.#begin(last, () => this.#owner.lost());
    }
  }

  #begin(head: StoredRecord | null, tell: () => void): void {
    this.#head = head;
    tell();
  }

  /** Takes the record over. False where others lie before it. */
  #take(record: StoredRecord): boolean {
    const { sequence, after, token } = record;
    if (this.#placing.has(token)) this.#placing.set(token, true);
    if (sequence <= this.last) return true;
    if (after !== this.last) return false;
    this.#head = record;
    this.#owner.grew(record);
    for (const wake of this.#awaiting.splice(0)) wake();
    return true;
  }
}

/** Whether a log may have come from one last record to the other. */
function mayFollow(last: StoredRecord, known: StoredRecord): boolean {
  if (last.sequence === known.sequence) return last.token === known.token;
  return last.sequence > known.sequence;
}
