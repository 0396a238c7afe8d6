/**
 * The memory broker as it is shipped, in the place of the simulated one: nodes reach it over their lines,
 * and a witness is told the truth, from a tail of its own and from where the log says that it begins.
 *
 * It can be wiped, as a process is that starts anew. It knows nothing of how calls travel.
 */
import type { Position, Start } from "@tailwire/protocol";
import type {
  Append,
  AppendResult,
  Awaitable,
  BrokerLog,
  PageLimit,
  Publication,
  ReadResult,
  Retention,
  Tail,
} from "@tailwire/server/broker-contract";
import { MemoryBroker } from "@tailwire/server/core";
import type { SharedBrokerOptions } from "./shared-broker.ts";
import type { Listener, StoredLog } from "./stored-log.ts";

export class TappedBroker {
  readonly #options: SharedBrokerOptions;
  #memory: MemoryBroker;
  readonly #logs = new Map<string, TappedLog>();

  constructor(options: SharedBrokerOptions) {
    this.#options = options;
    this.#memory = new MemoryBroker(options);
  }

  /** Subscriptions of all nodes. */
  get listeners(): number {
    let sum = 0;
    for (const { listeners } of this.#logs.values()) sum += listeners.size;
    return sum;
  }

  get logs(): readonly TappedLog[] {
    return [...this.#logs.values()];
  }

  log(channel: string, retention: Retention): TappedLog {
    let log = this.#logs.get(channel);
    if (log === undefined) {
      log = new TappedLog(this.#options, channel, retention);
      log.begin(this.#memory);
      this.#logs.set(channel, log);
    }
    return log;
  }

  /** Loses everything. */
  wipe(): void {
    void this.#memory.close();
    this.#memory = new MemoryBroker(this.#options);
    for (const log of this.#logs.values()) log.begin(this.#memory);
  }

  close(): void {
    for (const log of this.#logs.values()) log.end();
    void this.#memory.close();
  }
}

class TappedLog implements StoredLog {
  readonly listeners = new Set<Listener>();
  readonly #options: SharedBrokerOptions;
  readonly #channel: string;
  readonly #retention: Retention;
  #log: BrokerLog | null = null;
  #tail: Promise<Tail> | null = null;
  #epoch = "";
  #edge = 0;

  constructor(options: SharedBrokerOptions, channel: string, retention: Retention) {
    this.#options = options;
    this.#channel = channel;
    this.#retention = retention;
  }

  /** Begins in a memory that has nothing of it. */
  begin(memory: MemoryBroker): void {
    this.end();
    this.#epoch = "";
    this.#edge = 0;
    this.#log = memory.log(this.#channel, this.#retention);
    const push = (epoch: string, publications: readonly Publication[]): void =>
      this.#take(epoch, publications);
    this.#tail = this.#log.tail({ push, suspect: () => undefined });
    void this.#tail.then(({ position }) => this.#begun(position.epoch));
  }

  end(): void {
    void this.#tail?.then((tail) => tail.close());
    this.#tail = null;
  }

  get position(): Promise<Position> {
    return this.#seen((log) => log.locate("latest"));
  }

  append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    return this.#seen((log) => log.append(batch));
  }

  read(after: Position, limit: PageLimit): Promise<ReadResult> {
    return this.#seen((log) => log.read(after, limit));
  }

  readBack(before: Position | null, limit: PageLimit): Promise<ReadResult> {
    return this.#seen((log) => log.readBack(before, limit));
  }

  locate(start: Exclude<Start, Position>): Promise<Position> {
    return this.#seen((log) => log.locate(start));
  }

  lose(): void {
    // A process's memory loses all or nothing.
  }

  shed(): void {
    // It keeps what its retention asks for.
  }

  /** Does something, and tells the witness what it has trimmed before anybody hears of it. */
  async #seen<Value>(run: (log: BrokerLog) => Awaitable<Value>): Promise<Value> {
    const log = this.#log;
    if (log === null) throw new Error("the log has not begun");
    const [value, { epoch, offset }] = await Promise.all([run(log), log.locate("earliest")]);
    this.#begun(epoch);
    if (epoch === this.#epoch && offset > this.#edge) {
      this.#edge = offset;
      this.#options.witness.trimmed(this.#channel, epoch, offset, false);
    }
    return value;
  }

  /** An epoch is known from the first that is told of it; one that is over by then isn't told. */
  #begun(epoch: string): void {
    if (this.#epoch !== "") return;
    this.#epoch = epoch;
    this.#options.witness.began(this.#channel, epoch, null, 0);
  }

  #take(epoch: string, publications: readonly Publication[]): void {
    this.#begun(epoch);
    for (const one of publications) this.#options.witness.appended(this.#channel, epoch, one);
    for (const listener of this.listeners) listener(epoch, publications);
  }
}
