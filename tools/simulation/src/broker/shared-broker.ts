/**
 * The simulated broker: the logs that several nodes share, each node over a line of its own.
 *
 * It has its own clock, since it is a machine of its own, and tells a witness the truth. Faults between
 * nodes and broker are in {@link BrokerLine}.
 */
import type { Clock, Random } from "@tailwire/protocol";
import type { AppendRulesOptions, Retention } from "@tailwire/server/broker-contract";
import { type LogWitness, SharedLog } from "./shared-log.ts";
import type { StoringBroker } from "./stored-log.ts";

export interface SharedBrokerOptions extends AppendRulesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly witness: LogWitness;
}

export class SharedBroker implements StoringBroker {
  readonly #options: SharedBrokerOptions;
  readonly #logs = new Map<string, SharedLog>();
  #since: number;

  constructor(options: SharedBrokerOptions) {
    this.#options = options;
    this.#since = options.clock.monotonic();
  }

  /** Subscriptions of all nodes. */
  get listeners(): number {
    let sum = 0;
    for (const { listeners } of this.#logs.values()) sum += listeners.size;
    return sum;
  }

  /** Logs that exist, in the order in which they were made. */
  get logs(): readonly SharedLog[] {
    return [...this.#logs.values()];
  }

  log(channel: string, retention: Retention): SharedLog {
    let log = this.#logs.get(channel);
    if (log === undefined) {
      log = new SharedLog({ ...this.#options, channel, retention }, this.#since);
      this.#logs.set(channel, log);
    }
    return log;
  }

  /** Loses everything. */
  wipe(): void {
    this.#since = this.#options.clock.monotonic();
    for (const log of this.#logs.values()) log.wipe();
  }

  close(): void {
    // It has no timers, and its logs may be looked at.
  }
}

/** A witness for whom the truth doesn't matter. */
export const NO_WITNESS: LogWitness = {
  began: () => undefined,
  appended: () => undefined,
  trimmed: () => undefined,
};
