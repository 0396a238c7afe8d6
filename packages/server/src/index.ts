/** @tailwire/server: real-time messaging over WebSocket, on Node's HTTP server. */
export type { Position } from "@tailwire/protocol";
export { TailwireError } from "@tailwire/protocol";
export type { Broker, BrokerLog, Retention } from "./brokers/contract.ts";
export { MemoryBroker, type MemoryBrokerOptions } from "./brokers/memory.ts";
export type { ChannelOptions } from "./channel-rules.ts";
export { DEFAULT_LIMITS, DEFAULT_RETENTION, type Limits } from "./limits.ts";
export type { User } from "./node.ts";
export type { Logger } from "./ports.ts";
export {
  type Authenticate,
  type Authenticated,
  createTailwire,
  type Identification,
  type ServerChannel,
  type TailwireOptions,
  type TailwireServer,
  type UpgradeRequest,
} from "./server.ts";
