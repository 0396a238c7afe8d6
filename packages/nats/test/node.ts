// A node as its broker sees it, on the platform's own time.
import { randomBytes } from "node:crypto";
import type { BrokerHost } from "@tailwire/server/broker-contract";

const nothing = (): void => undefined;
export const QUIET = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export const HOST: BrokerHost = {
  dedupeMs: 120_000,
  window: 256,
  producersMax: 10_000,
  appendMs: 10_000,
  logger: QUIET,
  clock: {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    soon: (callback) => void setImmediate(callback),
  },
  random: {
    fraction: () => Math.random(),
    token: () => randomBytes(16).toString("base64url"),
  },
};

/** Resolves when the condition holds; a test that waits for ever fails by its timeout. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => HOST.clock.after(5, () => resolve(null)));
}
