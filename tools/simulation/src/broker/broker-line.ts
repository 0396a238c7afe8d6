/**
 * A node's line to the simulated broker: an adapter, with the network between. It can be slow, be cut
 * in either direction, lose a request or an answer, and lose, double or disorder pushes.
 *
 * It keeps the brokers' contract whatever happens: an append whose answer is lost is `indeterminate`,
 * and lost pushes are suspected soon. It doesn't know what is in the logs.
 */
import { type Clock, tailwireError } from "@tailwire/protocol";
import type {
  Append,
  Broker,
  BrokerLog,
  BrokerState,
  Publication,
  Retention,
  Tail,
  TailListener,
} from "@tailwire/server/broker-contract";
import type { StoringBroker } from "./stored-log.ts";

/** The line's faults. Each method is called once per call or push, and decides its fate. */
export interface LineFaults {
  /** Milliseconds of one way. */
  delayMs(): number;
  losesRequest(): boolean;
  losesAnswer(): boolean;
  push(): "arrives" | "is lost" | "comes twice" | "is late";
}

const NO_LINE_FAULTS: LineFaults = {
  delayMs: () => 0,
  losesRequest: () => false,
  losesAnswer: () => false,
  push: () => "arrives",
};

/** How long a call may go unanswered before the adapter gives it up, in milliseconds. */
const CALL_MS = 12_000;

/** How soon after a lost push somebody asks the broker where its logs end, in milliseconds. */
const PROBE_MS = 1_500;

/** How much later a push is that others overtake, in milliseconds. */
const LATE_MS = 40;

export class BrokerLine implements Broker {
  readonly capabilities = { durable: true };
  faults: LineFaults = NO_LINE_FAULTS;
  /** Nothing of the node arrives at the broker. */
  cutOut = false;
  /** Nothing of the broker arrives at the node. */
  cutIn = false;
  readonly #broker: StoringBroker;
  /** The broker's side, which goes on while the node stands still. */
  readonly #clock: Clock;
  /** The node's side. */
  readonly #nodeClock: Clock;
  readonly #tails = new Set<TailListener>();
  readonly #listening = new Map<TailListener, () => void>();
  #listener: (state: BrokerState) => void = () => undefined;
  #down = false;
  #probing = false;
  #ended = false;

  constructor(broker: StoringBroker, clock: Clock, nodeClock: Clock) {
    this.#broker = broker;
    this.#clock = clock;
    this.#nodeClock = nodeClock;
  }

  /** Subscriptions of this node. */
  get tails(): number {
    return this.#tails.size;
  }

  /** Whether the broker refuses calls at once. Its node is told, a little later. */
  get down(): boolean {
    return this.#down;
  }

  set down(isDown: boolean) {
    this.#down = isDown;
    this.#nodeClock.soon(() => {
      if (this.#ended) return;
      this.#listener(this.#down ? { kind: "down", reason: "it restarts" } : { kind: "up" });
    });
  }

  onState(listener: (state: BrokerState) => void): void {
    this.#listener = listener;
  }

  log(channel: string, retention: Retention): BrokerLog {
    const log = () => this.#broker.log(channel, retention);
    return {
      append: (batch) => {
        // The broker's machine has a clock of its own.
        const ahead = this.#clock.monotonic() - this.#nodeClock.monotonic();
        const there = batch.map((one) => translated(one, ahead));
        return this.#call("indeterminate", () => log().append(there));
      },
      read: (after, limit) => this.#call("unavailable", () => log().read(after, limit)),
      readBack: (before, limit) => this.#call("unavailable", () => log().readBack(before, limit)),
      locate: (start) => this.#call("unavailable", () => log().locate(start)),
      tail: (listener) => this.#follow(channel, retention, listener),
    };
  }

  /** Ends delays and losses. A cut stays until {@link mend}. */
  calm(): void {
    this.faults = NO_LINE_FAULTS;
  }

  /** Ends all faults. After a cut, listeners are told to read again; after an outage, the node is. */
  mend(): void {
    const wasCut = this.cutIn || this.cutOut;
    this.calm();
    this.cutIn = false;
    this.cutOut = false;
    this.down = false;
    if (wasCut) this.suspect();
  }

  /** Tells all listeners that pushes may be missing. */
  suspect(): void {
    for (const listener of this.#tails) listener.suspect();
  }

  /** The node is gone. Its calls may still be carried out; their answers reach nobody. */
  end(): void {
    this.#ended = true;
    this.#tails.clear();
    for (const stop of this.#listening.values()) stop();
    this.#listening.clear();
  }

  close(): Promise<void> {
    this.end();
    return Promise.resolve();
  }

  async #follow(channel: string, retention: Retention, listener: TailListener): Promise<Tail> {
    try {
      const position = await this.#call("unavailable", () => {
        const log = this.#broker.log(channel, retention);
        if (this.#ended) return log.position;
        const take = (epoch: string, publications: readonly Publication[]): void =>
          this.#push(listener, epoch, publications);
        log.listeners.add(take);
        this.#listening.set(listener, () => log.listeners.delete(take));
        this.#tails.add(listener);
        return log.position;
      });
      return { position, close: () => this.#stop(listener) };
    } catch (error) {
      this.#stop(listener);
      throw error;
    }
  }

  #stop(listener: TailListener): void {
    this.#tails.delete(listener);
    this.#listening.get(listener)?.();
    this.#listening.delete(listener);
  }

  #call<Value>(
    lost: "indeterminate" | "unavailable",
    run: () => Value | Promise<Value>,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.down) throw tailwireError("unavailable", "the broker is down");
      const fail = (): void => reject(tailwireError(lost, "the broker's line broke"));
      const answer = (value: Value): void => {
        if (this.cutIn) this.#nodeClock.after(CALL_MS, fail);
        else if (this.faults.losesAnswer()) fail();
        else resolve(value);
      };
      const arrive = (): void => {
        if (this.cutOut) return void this.#nodeClock.after(CALL_MS, fail);
        if (this.down || this.faults.losesRequest()) return fail();
        const value = run();
        const send = (done: Value): void => this.#after(this.#nodeClock, () => answer(done));
        if (value instanceof Promise) value.then(send, fail);
        else send(value);
      };
      this.#after(this.#clock, arrive);
    });
  }

  /** Calls back after a delay; synchronously where that is 0, as a broker in the same process does. */
  #after(clock: Clock, callback: () => void): void {
    const ms = this.faults.delayMs();
    if (ms === 0) callback();
    else clock.after(ms, callback);
  }

  #push(listener: TailListener, epoch: string, publications: readonly Publication[]): void {
    const fate = this.cutIn || this.down ? "is lost" : this.faults.push();
    if (fate === "is lost") return this.#probeSoon();
    const arrive = (): void => {
      if (!this.#tails.has(listener)) return;
      if (this.cutIn) this.#probeSoon();
      else listener.push(epoch, publications);
    };
    if (fate === "is late") return void this.#nodeClock.after(LATE_MS, arrive);
    this.#after(this.#nodeClock, arrive);
    if (fate === "comes twice") this.#nodeClock.after(LATE_MS, arrive);
  }

  /** A lost last push has no successor to reveal it, so the adapter asks by itself. */
  #probeSoon(): void {
    if (this.#probing || this.#ended) return;
    this.#probing = true;
    this.#nodeClock.after(PROBE_MS, () => {
      this.#probing = false;
      if (this.cutIn || this.cutOut || this.down) return this.#probeSoon();
      this.suspect();
    });
  }
}

/** The same by a clock that is so far ahead. */
function translated(append: Append, ahead: number): Append {
  const { notAfter, repeat } = append;
  return {
    ...append,
    notAfter: notAfter + ahead,
    ...(repeat && { repeat: { ...repeat, since: repeat.since + ahead } }),
  };
}
