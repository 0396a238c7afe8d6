/**
 * A handle of one channel's log: each call is one run of the script. An append of which nobody knows
 * whether it ran is sent again, as a repeat, until its deadline.
 */
import {
  type GapReason,
  type Position,
  type Start,
  type TailwireError,
  tailwireError,
} from "@tailwire/protocol";
import {
  type Append,
  type AppendRefusal,
  type AppendResult,
  type BrokerHost,
  type BrokerLog,
  type PageLimit,
  pause,
  type Publication,
  publicationBytes,
  type ReadResult,
  type Retention,
  type Tail,
  type TailListener,
  withDeadline,
} from "@tailwire/server/broker-contract";
import type { BrokerTime } from "./broker-time.ts";
import type { Connections, ScriptAnswer } from "./connections.ts";
import { decodeBody, encodeBody } from "./entries.ts";
import type { Followable, Tails } from "./tails.ts";
import { isUnsent } from "./words.ts";

/** Between two attempts of one append, in milliseconds. */
const AGAIN_MS = 100;
/** Numbers beyond it aren't exact, in Lua either. It stands for no limit. */
const HUGE = Number.MAX_SAFE_INTEGER;
const EXPIRY_SLACK_MS = 60_000;

/** The parts of a broker that its logs work with. */
export interface LogContext {
  readonly host: BrokerHost;
  readonly prefix: string;
  readonly connections: Connections;
  readonly tails: Tails;
  readonly time: BrokerTime;
  /** The broker's time, where a test controls it. */
  readonly now?: () => number;
}

export class RedisLog implements BrokerLog, Followable {
  readonly name: string;
  readonly expiryMs: number;
  readonly #context: LogContext;
  readonly #retention: Retention;
  readonly #keys: readonly string[];

  constructor(context: LogContext, channel: string, retention: Retention) {
    this.#context = context;
    this.#retention = retention;
    const { host, prefix } = context;
    // The braces put all of a channel's keys into one slot of a cluster.
    const key = `${prefix}:{${encodeURIComponent(channel)}}:`;
    this.name = `${key}m`;
    this.#keys = [this.name, `${key}e`, `${key}0`, `${key}1`, `${prefix}:since`];
    const longest = Math.max(2 * host.dedupeMs, retention.maxAgeMs);
    this.expiryMs = Math.min(HUGE, Math.ceil(1.25 * longest) + EXPIRY_SLACK_MS);
  }

  async append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    if (batch.length === 0) return [];
    const { clock, appendMs } = this.#context.host;
    const began = clock.monotonic();
    const leftMs = (): number => began + appendMs - clock.monotonic();
    try {
      return await this.#appendOnce(batch, leftMs());
    } catch (error) {
      if (isUnsent(error)) throw unavailable();
    }
    const again = batch.filter(hasProducer).map((entry) => asRepeat(entry, began));
    while (again.length > 0 && leftMs() > AGAIN_MS) {
      await pause(clock, AGAIN_MS);
      if (this.#context.connections.isClosed) break;
      // Whatever this attempt comes to, the first may have run.
      const results = await this.#appendOnce(again, leftMs()).catch(() => null);
      if (results !== null) return resultsOf(batch, results);
    }
    throw tailwireError("indeterminate", "the broker's answer was lost");
  }

  async read(after: Position, limit: PageLimit): Promise<ReadResult> {
    return this.#page("read", after, limit);
  }

  async readBack(before: Position | null, limit: PageLimit): Promise<ReadResult> {
    const result = await this.#page("back", before, limit);
    return { ...result, publications: result.publications.toReversed() };
  }

  async locate(start: Exclude<Start, Position>): Promise<Position> {
    const [epoch, offset, id] = await this.#ask("locate", argumentsOf(start));
    return positionOf(epoch, offset, id);
  }

  async tail(listener: TailListener): Promise<Tail> {
    return this.#context.tails.follow(this, listener).catch(() => {
      throw unavailable();
    });
  }

  end(): Promise<Position> {
    return this.locate("latest");
  }

  async #appendOnce(batch: readonly Append[], ms: number): Promise<readonly AppendResult[]> {
    const { clock, producersMax, window } = this.#context.host;
    const late = (): Error => new Error(`no answer within ${ms} ms`);
    this.#setTime();
    const args = batch.flatMap((entry) => this.#entryArguments(entry));
    const run = this.#run("append", [String(producersMax), String(window), ...args]);
    const [time, epoch, ...results] = await withDeadline(clock, ms, run, late);
    this.#context.time.heard(Number(time), clock.monotonic());
    return batch.map(({ id }, index) => resultOf(String(results[index]), String(epoch), id));
  }

  #entryArguments(entry: Append): readonly (string | Buffer)[] {
    const { id, producer, notAfter, repeat } = entry;
    const { time } = this.#context;
    return [
      id,
      String(publicationBytes(entry)),
      String(Math.min(HUGE, time.deadline(notAfter))),
      encodeBody(entry),
      producer?.id ?? "",
      String(producer?.generation ?? ""),
      String(producer?.sequence ?? ""),
      String(producer?.settled ?? ""),
      String(producer?.fingerprint ?? ""),
      repeat === undefined ? "" : String(time.past(repeat.since)),
      repeat?.epoch ?? "",
    ];
  }

  async #page(operation: string, at: Position | null, limit: PageLimit): Promise<ReadResult> {
    const place = at === null ? ["", "", ""] : [at.epoch, String(at.offset), at.id ?? ""];
    const sizes = [limit.count, limit.bytes].map((size) => String(Math.min(HUGE, size)));
    const answer = await this.#ask(operation, [...place, ...sizes]);
    return this.#decoded(answer);
  }

  #decoded([epoch, reason, lost, offset, id, ...fields]: ScriptAnswer): ReadResult {
    const publications = this.#publications(fields);
    const why = String(reason);
    if (why === "") return { kind: "publications", epoch: String(epoch), publications };
    const to = positionOf(epoch, offset, id);
    const count = lost?.length === 0 ? null : Number(lost);
    const gap = { reason: why as GapReason, to, continuesAfter: to, lost: count };
    return { kind: "gap", gap, publications };
  }

  /** Offset, timestamp and body of each. @throws `unavailable` for one that can't be read. */
  #publications(fields: ScriptAnswer): readonly Publication[] {
    const publications: Publication[] = [];
    try {
      for (let index = 0; index < fields.length; index += 3) {
        const [offset, timestamp, body] = fields.slice(index, index + 3);
        publications.push(decodeBody(body as Buffer, Number(offset), Number(timestamp)));
      }
    } catch (error) {
      this.#context.host.logger.error({ error }, "redis: a publication can't be read");
      throw unavailable();
    }
    return publications;
  }

  /** A call that may be made again. @throws `unavailable`. */
  async #ask(operation: string, args: readonly string[]): Promise<ScriptAnswer> {
    const { clock, appendMs } = this.#context.host;
    return withDeadline(clock, appendMs, this.#run(operation, args), unavailable).catch(() => {
      throw unavailable();
    });
  }

  #run(operation: string, args: readonly (string | Buffer)[]): Promise<ScriptAnswer> {
    const { connections, host, now } = this.#context;
    const { count, bytes, maxAgeMs } = this.#retention;
    const numbers = [count, bytes, maxAgeMs, host.dedupeMs, this.expiryMs];
    const common = numbers.map((number) => String(Math.min(HUGE, number)));
    return connections.run(this.#keys, [operation, ...common, String(now?.() ?? ""), ...args]);
  }

  #setTime(): void {
    const { host, now, time } = this.#context;
    if (now !== undefined) time.heard(now(), host.clock.monotonic());
  }
}

type ByProducer = Append & { readonly producer: NonNullable<Append["producer"]> };

function hasProducer(entry: Append): entry is ByProducer {
  return entry.producer !== null;
}

function asRepeat(entry: ByProducer, began: number): Append {
  const { since = began, ...rest } = entry.repeat ?? {};
  return { ...entry, repeat: { ...rest, since } };
}

/** Results of a batch of which only those with a producer were sent again. */
function resultsOf(
  batch: readonly Append[],
  again: readonly AppendResult[],
): readonly AppendResult[] {
  const rest = again.values();
  return batch.map((entry) =>
    hasProducer(entry) ? (rest.next().value as AppendResult) : refused("indeterminate"),
  );
}

function resultOf(word: string, epoch: string, id: string): AppendResult {
  const sign = word[0];
  if (sign !== "+" && sign !== "=") return refused(word as AppendRefusal);
  const position = { epoch, offset: Number(word.slice(1)), id };
  return { kind: "appended", position, duplicate: sign === "=" };
}

function refused(code: AppendRefusal): AppendResult {
  return { kind: "refused", code };
}

function positionOf(
  epoch: Buffer | undefined,
  offset: Buffer | undefined,
  id: Buffer | undefined,
): Position {
  const name = String(id);
  return { epoch: String(epoch), offset: Number(offset), id: name === "" ? null : name };
}

function argumentsOf(start: Exclude<Start, Position>): readonly string[] {
  if (typeof start === "string") return [start, ""];
  if ("count" in start.rewind) return ["count", String(start.rewind.count)];
  return ["age", String(start.rewind.ageMs)];
}

function unavailable(): TailwireError {
  return tailwireError("unavailable", "the broker can't be reached now");
}
