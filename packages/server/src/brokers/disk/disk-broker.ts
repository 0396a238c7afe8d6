/**
 * The disk broker: keeps the logs of one process in the files of a folder, from which the next process goes
 * on. Whatever it acknowledges, pushes or lets be read was synced before.
 */
import { tailwireError } from "@tailwire/protocol";
import { AppendRules } from "../../log/append-rules.ts";
import type {
  Append,
  AppendResult,
  Broker,
  BrokerLog,
  BrokerState,
  ReadResult,
  Retention,
} from "../../log/broker.ts";
import type { BrokerHost } from "../../log/broker-host.ts";
import { makeRecord, FORMS } from "./records.ts";
import type { EndContent } from "./contents.ts";
import { DiskLog, newLog } from "./disk-log.ts";
import type { Folder } from "./files.ts";
import { recover } from "./recovery.ts";
import { type SegmentSizes, Segments } from "./segments.ts";
import { CLOSED, Writer } from "./writer.ts";

/** How often idle logs and expired publications are looked for, in milliseconds. */
const TIDY_EVERY_MS = 60_000;

/** The circumstances of a {@link DiskBroker}. */
export interface DiskBrokerOptions extends SegmentSizes {
  readonly folder: Folder;
  /** Names of files in the folder that are neither segments nor a stranger's. */
  readonly isOurs: (name: string) => boolean;
  /** Called once all files are closed. */
  readonly closed: () => void;
}

export class DiskBroker implements Broker {
  readonly capabilities = { durable: true };
  readonly #host: BrokerHost;
  readonly #options: DiskBrokerOptions;
  readonly #logs = new Map<string, DiskLog>();
  /** Logs that are being made. */
  readonly #coming = new Map<string, Promise<DiskLog>>();
  readonly #writer: Writer;
  /** Since when no producer was forgotten before its time, by the monotonic clock. */
  readonly #since: number;
  #listener: ((state: BrokerState) => void) | null = null;
  #cancelTidying: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  /** Reads what the folder has. @throws as `recover`. */
  constructor(host: BrokerHost, options: DiskBrokerOptions) {
    const { folder, isOurs, segmentBytes, segmentMs } = options;
    this.#host = host;
    this.#options = options;
    const { segments, logs, remembersMs } = recover(folder, isOurs);
    this.#since = host.clock.monotonic() - remembersMs;
    for (const [channel, found] of logs) {
      this.#logs.set(channel, new DiskLog(host, this.#since, found));
    }
    const { clock, random, logger } = host;
    const files = { folder, clock, random, logger, segmentBytes, segmentMs };
    const store = new Segments(
      { ...files, logs: () => [...this.#logs.values()], end: () => this.#end() },
      segments,
    );
    this.#writer = new Writer(store, logger, (reason) => this.#tell({ kind: "down", reason }));
    this.#tidyLater();
  }

  /** Logs that exist now. */
  get size(): number {
    return this.#logs.size;
  }

  log(channel: string, retention: Retention): BrokerLog {
    const log = (): Promise<DiskLog> => this.#log(channel, retention);
    return {
      append: async (batch) =>
        this.#refusals(channel, batch) ?? (await log()).append(batch, this.#writer),
      read: async (after, limit) => this.#read((await log()).read(after, limit)),
      readBack: async (before, limit) => this.#read((await log()).readBack(before, limit)),
      locate: async (start) => (await log()).locate(start),
      tail: async (listener) => (await log()).tail(listener),
    };
  }

  onState(listener: (state: BrokerState) => void): void {
    this.#listener = listener;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelTidying?.();
    await this.#writer.close();
    this.#options.closed();
  }

  /**
   * The results where nothing is to be appended to a log that isn't there; else null. A log begins with
   * what is appended: else refused publications could fill the disk with logs.
   */
  #refusals(channel: string, batch: readonly Append[]): readonly AppendResult[] | null {
    if (this.#logs.has(channel) || this.#coming.has(channel)) return null;
    const now = this.#host.clock.monotonic();
    const rules = new AppendRules(this.#host, now, this.#since);
    // An epoch that no log has.
    const { results, accepted } = rules.decide(batch, { epoch: "", last: 0 }, now);
    return accepted.length === 0 ? results : null;
  }

  async #log(channel: string, retention: Retention): Promise<DiskLog> {
    if (this.#closing !== null) throw CLOSED;
    const log = this.#logs.get(channel);
    if (log !== undefined) {
      log.retain(retention);
      return log;
    }
    const coming = this.#coming.get(channel) ?? this.#made(channel, retention);
    this.#coming.set(channel, coming);
    return coming;
  }

  /** A new log, once its epoch is on the disk: a position in it may be given out then. */
  async #made(channel: string, retention: Retention): Promise<DiskLog> {
    const content = newLog(channel, this.#host.random.token(), retention);
    try {
      await this.#writer.write({
        channel,
        records: () => [makeRecord(FORMS.log, content)],
        written: () => {
          const found = { content, places: new Map(), appended: [] };
          this.#logs.set(channel, new DiskLog(this.#host, this.#since, found));
        },
      });
    } finally {
      this.#coming.delete(channel);
    }
    return this.#logs.get(channel) as DiskLog;
  }

  async #read(reading: Promise<ReadResult>): Promise<ReadResult> {
    try {
      return await reading;
    } catch (error) {
      this.#host.logger.error({ error }, "a log can't be read");
      throw tailwireError("unavailable");
    }
  }

  #tell(state: BrokerState): void {
    if (this.#closing === null) this.#listener?.(state);
  }

  #end(): EndContent {
    return { remembersMs: this.#host.clock.monotonic() - this.#since };
  }

  #tidyLater(): void {
    this.#cancelTidying = this.#host.clock.after(TIDY_EVERY_MS, () => {
      for (const [channel, log] of this.#logs) if (log.idle()) this.#logs.delete(channel);
      this.#writer.tidy();
      this.#tidyLater();
    });
  }
}
