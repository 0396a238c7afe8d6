/** @tailwire/client/core: the client without a platform, for simulators and other drivers. */
import * as CLIENT_LIMITS from "./limits.ts";

export { backoffMs } from "./connection/backoff.ts";
export { Client, type ClientOptions } from "./client.ts";
export {
  CONNECTION_STATES,
  type ConnectionEvent,
  type ConnectionState,
} from "./connection/connection-states.ts";
export { CLIENT_LIMITS };
export { ENTRY_STATES } from "./publishing/entry-states.ts";
export { LIFE_STATES, PROGRESS_STATES, TAKER_STATES } from "./following/subscription-states.ts";
export { WIRE_STATES } from "./following/wire-states.ts";
export type { Ports, Socket, SocketEvents } from "./ports.ts";
export type { Subscription } from "./following/subscription.ts";
export type { ConnectionStatus, Gap, Publication } from "./types.ts";
