/** The way from a server to its broker: the application names one, and the server opens it. */
import type { Clock, Random } from "@tailwire/protocol";
import type { AppendRulesOptions } from "./append-rules.ts";
import type { Broker } from "./broker.ts";
import type { Logger } from "../ports.ts";

/** A server, as far as its broker relies on it. */
export interface BrokerHost extends AppendRulesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Milliseconds that a call of the broker may take. */
  readonly appendMs: number;
}

/** Opens a broker, once per server. It mustn't wait: a broker that can't be reached is `unavailable`. */
export type OpenBroker = (host: BrokerHost) => Broker;
