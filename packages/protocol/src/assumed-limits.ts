/** The server's limits that a client keeps to, as it assumes them until its first `welcome` [PUB-15]. */
import { messageBytesMax } from "./limits.ts";
import type { Welcome } from "./messages.ts";

/** The defaults of tailwire's server. */
export const ASSUMED_LIMITS: Omit<Welcome["limits"], "subscriptionsMax"> = {
  messageBytesMax,
  dedupeMs: 120_000,
  appendMs: 10_000,
  window: 256,
};
