/** @tailwire/server: real-time messaging over WebSocket, on Node's HTTP server. */
export type { Position } from "@tailwire/protocol";
export { TailwireError } from "@tailwire/protocol";
export type { Broker, BrokerLog, Retention } from "./log/broker.ts";
export { MemoryBroker, type MemoryBrokerOptions } from "./brokers/memory.ts";
export type {
  Action,
  Authenticated,
  Authorize,
  AuthorizeQuestion,
  Capability,
  User,
} from "./access/access.ts";
export type { ConnectionInfo, RequestContext, RequestHandler } from "./application.ts";
export type {
  ChannelOptions,
  IncomingPublication,
  OnPublish,
  SnapshotAnswer,
  SnapshotHook,
  SnapshotQuestion,
} from "./access/channel-rules.ts";
export type { Totals } from "./telemetry/counters.ts";
export { DEFAULT_LIMITS, DEFAULT_RETENTION, type Limits } from "./limits.ts";
export type { Authenticate, Identification, TailwireOptions, UpgradeRequest } from "./options.ts";
export type { Logger } from "./ports.ts";
export {
  createTailwire,
  type ServerChannel,
  type Stats,
  type TailwireServer,
  type UserConnections,
} from "./server.ts";
export type { TraceEntry, Tracer } from "./telemetry/traces.ts";
