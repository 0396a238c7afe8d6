/** The Redis broker: several servers share their channels' logs in one Redis or Valkey. */
import type { OpenBroker } from "@tailwire/server/broker-contract";
import { RedisBroker } from "./redis-broker.ts";
import { checkOptions, type RedisBrokerOptions, settingsOf } from "./settings.ts";

export type { RedisBrokerOptions };

/**
 * A broker in Redis 7 or newer, or Valkey, for `createTailwire({ broker })`. It connects when the server
 * opens it, and again for as long as that lives; meanwhile calls are `unavailable`, and the log says why.
 *
 * @throws TypeError for options that make no sense.
 */
export function redisBroker(options: RedisBrokerOptions): OpenBroker {
  checkOptions(options);
  return (host) => new RedisBroker(host, settingsOf(options, host));
}
