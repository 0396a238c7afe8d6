// Brokers under test, on a simulated clock or on the machine's own.
import type { Clock } from "@tailwire/protocol";
import type { BrokerHost } from "@tailwire/server/broker-contract";
import { Dice, type SimulatedClock } from "@tailwire/simulation";
import { RedisBroker } from "../src/redis-broker.ts";
import { type RedisBrokerOptions, settingsOf } from "../src/settings.ts";
import { until } from "./server.ts";

/** Small enough that a case can fill it. */
export const DEDUPE = { dedupeMs: 40_000, window: 50, producersMax: 50 };

const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
  soon: (callback) => void setImmediate(callback),
};

/** A host that writes down what is logged as an error. */
export function hostOf(clock: Clock, errors: string[] = []): BrokerHost {
  const logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (_fields: object, message: string) => void errors.push(message),
  };
  return { ...DEDUPE, clock, random: new Dice(1), logger, appendMs: 10_000 };
}

/** A broker on the machine's clock, not yet connected. */
export function openBroker(options: RedisBrokerOptions, errors: string[] = []): RedisBroker {
  const host = hostOf(realClock, errors);
  return new RedisBroker(host, settingsOf(options, host));
}

/** A broker that is connected. */
export async function connected(options: RedisBrokerOptions): Promise<RedisBroker> {
  const broker = openBroker(options);
  await until(() => broker.reason === null);
  return broker;
}

/** A connected broker whose time, and Redis's, is the clock's. */
export async function onClock(
  clock: SimulatedClock,
  options: RedisBrokerOptions,
  dedupe: Partial<typeof DEDUPE> = {},
): Promise<RedisBroker> {
  const host = { ...hostOf(clock), ...dedupe };
  const broker = new RedisBroker(host, settingsOf(options, host), () => clock.now());
  await until(() => broker.reason === null);
  return broker;
}
