/**
 * The stream that holds the logs, as one connection sees it until that breaks.
 *
 * It reads, appends and follows records, and knows neither their rules nor what is retained.
 */
import { JetStreamError, type JetStreamManager, type StoredMsg } from "@nats-io/jetstream";
import {
  headers,
  type Msg,
  nanos,
  type NatsConnection,
  RequestError,
} from "@nats-io/transport-node";
import type { Clock } from "@tailwire/protocol";
import { decodeCheckpoint, type StoredCheckpoint } from "./checkpoint.ts";
import { decodeRecord, type StoredRecord } from "./record.ts";
import type { Subjects } from "./subjects.ts";

/** Milliseconds that a request may take. After that its answer counts as lost, and the log is asked. */
export const REQUEST_MS = 2_000;

/** The error code of JetStream for an expectation that doesn't hold. */
const WRONG_LAST_SEQUENCE = 10_071;

/** The age at which a stream that keeps everything deletes records. */
const FOREVER = 0;

/** The status of a direct get that finds nothing. */
const NOT_FOUND = 404;

/** A record that wasn't appended, since its channel has another last record than it names. */
export class PlaceTaken extends Error {}

/** A record that certainly wasn't appended, for whatever reason. */
export class NotStored extends Error {}

/** Facts that a connection tells about the stream behind it. */
export interface StreamFacts {
  readonly name: string;
  /** Names the store; another one after a server that lost its own came back. */
  readonly history: string;
  /** The node's monotonic instant at which the stream was made, or earlier. */
  readonly since: number;
  /** Bytes of a message at most. */
  readonly payloadMax: number;
  /** Whether several records can be asked for at once. */
  readonly hasBatches: boolean;
}

export class LogStream {
  readonly facts: StreamFacts;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #subjects: Subjects;
  readonly #clock: Clock;
  /** Told when the connection breaks: calls that wait for an answer. */
  readonly #waiting = new Set<(error: Error) => void>();
  #broken: Error | null = null;

  constructor(
    connection: NatsConnection,
    manager: JetStreamManager,
    subjects: Subjects,
    clock: Clock,
    facts: StreamFacts,
  ) {
    this.#connection = connection;
    this.#manager = manager;
    this.#subjects = subjects;
    this.#clock = clock;
    this.facts = facts;
  }

  /** The connection has broken: answers that are awaited won't come. */
  break(reason: string): void {
    this.#broken = new Error(reason);
    for (const reject of this.#waiting) reject(this.#broken);
    this.#waiting.clear();
  }

  /**
   * Appends a record if the channel's last one has the sequence `after`; gives the record's own sequence.
   *
   * @throws PlaceTaken, or NotStored; for every other error nobody knows whether it was appended.
   */
  async append(token: string, after: number, text: string): Promise<number> {
    if (this.#broken !== null) throw new NotStored(this.#broken.message);
    const expectation = headers();
    expectation.set("Nats-Expected-Last-Subject-Sequence", String(after));
    const asking = this.#connection.request(this.#subjects.log(token), text, {
      timeout: REQUEST_MS,
      headers: expectation,
    });
    const answer = await this.#answered(asking).catch((error: unknown) => {
      throw isNoResponders(error) ? new NotStored("no stream takes the record") : error;
    });
    const { seq, error } = answer.json<PublishAnswer>();
    if (error?.err_code === WRONG_LAST_SEQUENCE) throw new PlaceTaken();
    if (error !== undefined) throw new NotStored(error.description);
    if (seq === undefined) throw new Error("NATS acknowledged a record without its sequence");
    return seq;
  }

  /** A channel's last record, as the stream's leader has it. */
  async last(token: string): Promise<StoredRecord | null> {
    const query = { last_by_subj: this.#subjects.log(token) };
    return this.#leaders(query);
  }

  /** The first record of a channel from a sequence on. A replica that lags behind may not have it yet. */
  async glimpse(token: string, from: number): Promise<StoredRecord | null> {
    const query = { seq: from, next_by_subj: this.#subjects.log(token) };
    const got = await this.#answered(this.#manager.direct.getMessage(this.facts.name, query));
    return got === null ? null : recordOf(got);
  }

  /** The first record of a channel from a sequence on. */
  async next(token: string, from: number): Promise<StoredRecord | null> {
    const query = { seq: from, next_by_subj: this.#subjects.log(token) };
    return (await this.glimpse(token, from)) ?? this.#leaders(query);
  }

  /** A channel's records with sequences from `from` to `to`, `atOnce` in one request where that can be. */
  async *records(
    token: string,
    from: number,
    to: number,
    atOnce: number,
  ): AsyncGenerator<StoredRecord> {
    let next = from;
    while (next <= to) {
      const some = this.facts.hasBatches
        ? await this.#answered(this.#batch(token, next, atOnce))
        : [];
      const first = some.length > 0 ? null : await this.next(token, next);
      const records = first === null ? some : [first];
      if (records.length === 0) return;
      for (const record of records) {
        if (record.sequence > to) return;
        yield record;
        next = record.sequence + 1;
      }
    }
  }

  /** A channel's last checkpoint. */
  async checkpoint(token: string): Promise<StoredCheckpoint | null> {
    const query = { last_by_subj: this.#subjects.checkpoint(token) };
    const got = await this.#answered(this.#manager.streams.getMessage(this.facts.name, query));
    return got === null ? null : decodeCheckpoint(got.data);
  }

  /** Stores a checkpoint in place of those before. */
  async save(token: string, checkpoint: string): Promise<void> {
    const filter = this.#subjects.checkpoint(token);
    const asking = this.#connection.request(filter, checkpoint, { timeout: REQUEST_MS });
    const { seq } = (await this.#answered(asking)).json<PublishAnswer>();
    if (seq === undefined) return;
    await this.#answered(this.#manager.streams.purge(this.facts.name, { filter, seq }));
  }

  /** Deletes a channel's records before a sequence. */
  async purge(token: string, before: number): Promise<void> {
    const filter = this.#subjects.log(token);
    await this.#answered(this.#manager.streams.purge(this.facts.name, { filter, seq: before }));
  }

  /**
   * Sees to it that records are kept for so many milliseconds, or longer; gives the stream's last sequence,
   * of whatever channel.
   */
  async tend(keptMs: number): Promise<number> {
    const { name } = this.facts;
    const { config, state } = await this.#answered(this.#manager.streams.info(name));
    const isEnough = config.max_age === FOREVER || config.max_age >= nanos(keptMs);
    if (!isEnough) {
      const max_age = keptMs === Infinity ? FOREVER : nanos(keptMs);
      await this.#answered(this.#manager.streams.update(name, { max_age }));
    }
    return state.last_seq;
  }

  /**
   * Calls for each record that is appended to a channel, until the function that it gives is called. A
   * record may get lost on its way.
   */
  async follow(
    token: string,
    onRecord: (record: StoredRecord) => void,
    onError: (error: unknown) => void,
  ): Promise<() => void> {
    const subscription = this.#connection.subscribe(this.#subjects.tail(token), {
      callback: (error, message) => {
        try {
          if (error !== null) throw error;
          onRecord(republishedOf(message));
        } catch (thrown) {
          onError(thrown);
        }
      },
    });
    await this.#answered(this.#connection.flush());
    return () => {
      if (!this.#connection.isClosed()) subscription.unsubscribe();
    };
  }

  async #leaders(
    query: { readonly last_by_subj: string } | { seq: number; next_by_subj: string },
  ): Promise<StoredRecord | null> {
    const got = await this.#answered(this.#manager.streams.getMessage(this.facts.name, query));
    return got === null ? null : recordOf(got);
  }

  async #batch(token: string, from: number, count: number): Promise<readonly StoredRecord[]> {
    const filter = this.#subjects.log(token);
    const options = { seq: from, next_by_subj: filter, batch: count };
    const records: StoredRecord[] = [];
    try {
      for await (const one of await this.#manager.direct.getBatch(this.facts.name, options)) {
        records.push(recordOf(one));
      }
    } catch (error) {
      noneWhereNotFound(error);
    }
    return records;
  }

  /** The answer, or an error when the connection breaks or too much time passes. */
  #answered<Answer>(asking: Promise<Answer>): Promise<Answer> {
    if (this.#broken !== null) {
      asking.catch(() => undefined);
      return Promise.reject(this.#broken);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const late = (): void => reject(new Error("NATS didn't answer in time"));
      const cancel = this.#clock.after(2 * REQUEST_MS, late);
      const settled = (): void => {
        cancel();
        this.#waiting.delete(reject);
      };
      asking.then(resolve, reject).finally(settled);
    });
  }
}

interface PublishAnswer {
  readonly seq?: number;
  readonly error?: { readonly err_code: number; readonly description: string };
}

function recordOf({ seq, data }: StoredMsg): StoredRecord {
  return decodeRecord(seq, data);
}

function republishedOf({ headers: its, data }: Msg): StoredRecord {
  return decodeRecord(Number(its?.get("Nats-Sequence")), data);
}

function isNoResponders(error: unknown): boolean {
  return error instanceof RequestError && error.isNoResponders();
}

/** Not found is no failure of a direct get. @throws every other error. */
function noneWhereNotFound(error: unknown): null {
  if (error instanceof JetStreamError && "code" in error && error.code === NOT_FOUND) return null;
  throw error;
}
