/** @tailwire/nats: a broker on NATS JetStream. */
export { natsBroker } from "./nats-broker.ts";
export type { NatsBrokerOptions, NatsCredentials } from "./settings.ts";
