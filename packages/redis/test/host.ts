// Brokers under test, on a simulated clock or on the machine's own.
import type { Clock } from "@tailwire/protocol";
import type { BrokerHost } from "@tailwire/server/broker-contract";
import { Dice } from "@tailwire/simulation";
import { RedisBroker } from "../src/redis-broker.ts";
import { type RedisBrokerOptions, settingsOf } from "../src/settings.ts";

/** Small enough that a case can fill it. */
export const DEDUPE = { dedupeMs: 40_000, window: 50, producersMax: 50 };

const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1)); // real time: the broker's own
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
    error: (fields: { readonly reason?: string }) => void errors.push(fields.reason ?? ""),
  };
  return { ...DEDUPE, clock, random: new Dice(1), logger, appendMs: 10_000 };
}

/** A broker, and how it came to be up. */
interface Opened {
  readonly broker: RedisBroker;
  /** Resolves when it is up for the first time. */
  readonly up: Promise<void>;
}

function opened(broker: RedisBroker, reasons: string[] = []): Opened {
  const up = new Promise<void>((resolve) => {
    broker.onState((state) => {
      if (state.kind === "up") resolve();
      else reasons.push(state.reason);
    });
  });
  return { broker, up };
}

/** A broker on the machine's clock, not yet connected, and the reasons why it can't be used. */
export function openBroker(options: RedisBrokerOptions, reasons: string[] = []): Opened {
  const host = hostOf(realClock, reasons);
  return opened(new RedisBroker(host, settingsOf(options, host)), reasons);
}

/** A broker that is connected. */
export async function connected(options: RedisBrokerOptions): Promise<RedisBroker> {
  const { broker, up } = openBroker(options);
  await up;
  return broker;
}

/** A connected broker whose time, and Redis's, is the clock's. */
export async function onClock(
  clock: Clock,
  options: RedisBrokerOptions,
  dedupe: Partial<typeof DEDUPE> = {},
): Promise<RedisBroker> {
  const host = { ...hostOf(clock), ...dedupe };
  const { broker, up } = opened(
    new RedisBroker(host, settingsOf(options, host), () => clock.now()),
  );
  await up;
  return broker;
}
