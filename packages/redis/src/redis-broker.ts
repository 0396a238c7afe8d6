/** The broker: two connections, the logs that are followed, and the broker's time. */
import type {
  Broker,
  BrokerHost,
  BrokerLog,
  BrokerState,
  Retention,
} from "@tailwire/server/broker-contract";
import { BrokerTime } from "./broker-time.ts";
import { Connections } from "./connections.ts";
import { type LogContext, RedisLog } from "./redis-log.ts";
import type { Settings } from "./settings.ts";
import { Tails } from "./tails.ts";

export class RedisBroker implements Broker {
  readonly capabilities = { durable: true };
  readonly #connections: Connections;
  readonly #tails: Tails;
  readonly #context: LogContext;
  #tell: (state: BrokerState) => void = () => undefined;

  /** `now` is the broker's time where a test controls it; else it is Redis's own. */
  constructor(host: BrokerHost, settings: Settings, now?: () => number) {
    const time = new BrokerTime(host.dedupeMs);
    const connections = new Connections(host, settings, {
      heard: (brokerTime) => time.heard(now?.() ?? brokerTime, host.clock.monotonic()),
      pushed: (name, message) => this.#tails.pushed(name, message),
      missed: () => this.#tails.missed(),
      changed: (state) => this.#tell(state),
    });
    this.#connections = connections;
    this.#tails = new Tails(host, connections);
    const { prefix } = settings;
    const context = { host, prefix, connections, tails: this.#tails, time };
    this.#context = now === undefined ? context : { ...context, now };
  }

  log(channel: string, retention: Retention): BrokerLog {
    return new RedisLog(this.#context, channel, retention);
  }

  onState(listener: (state: BrokerState) => void): void {
    this.#tell = listener;
  }

  close(): Promise<void> {
    this.#tails.close();
    this.#connections.close();
    return Promise.resolve();
  }
}
