/** The server's limits that a client keeps to, and those that it assumes before it has met it. */
import { PROTOCOL_LIMITS, type Welcome } from "@tailwire/protocol";

export type ServerLimits = Omit<Welcome["limits"], "subscriptionsMax">;

/** The limits assumed until the server's first `welcome`: the defaults of the protocol's servers. */
export const ASSUMED_SERVER_LIMITS: ServerLimits = {
  messageBytesMax: PROTOCOL_LIMITS.messageBytesMax,
  dedupeMs: 120_000,
  appendMs: 10_000,
  window: 256,
};
