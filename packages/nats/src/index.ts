/** @tailwire/nats: a broker on NATS JetStream. */
export { natsBroker } from "./nats-broker.ts";
export type { NatsCredentials } from "./credentials.ts";
export type { NatsBrokerOptions } from "./settings.ts";
