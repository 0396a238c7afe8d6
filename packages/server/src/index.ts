/** @tailwire/server: real-time messaging over WebSocket, on Node's HTTP server. */
export type { Position } from "@tailwire/protocol";
export { TailwireError } from "@tailwire/protocol";
export type { Broker, BrokerLog, BrokerState, Retention } from "./log/broker.ts";
export type { BrokerHost, OpenBroker } from "./log/broker-host.ts";
export { diskBroker, type DiskOptions } from "./brokers/disk/open.ts";
export { MemoryBroker, type MemoryBrokerOptions } from "./brokers/memory.ts";
export type { ChannelOptions } from "./access/channel-rules.ts";
export type {
  Action,
  Authenticated,
  Authorize,
  AuthorizeQuestion,
  Capability,
  ConnectionInfo,
  IncomingPublication,
  OnPublish,
  RequestContext,
  RequestHandler,
  SnapshotAnswer,
  SnapshotHook,
  SnapshotQuestion,
  User,
} from "./application.ts";
export type { Totals } from "./telemetry/counters.ts";
export { DEFAULT_LIMITS, type Limits } from "./limits.ts";
export { DEFAULT_RETENTION } from "./log/retention.ts";
export type {
  Authenticate,
  Identification,
  ServerOptions,
  TailwireOptions,
  UpgradeRequest,
} from "./options.ts";
export type { Logger } from "./ports.ts";
export { createTailwire, type Stats, type TailwireServer, type UserConnections } from "./server.ts";
export type {
  LoggedPublication,
  LogPage,
  LogReadOptions,
  ServerChannel,
} from "./server-channel.ts";
export type { TraceEntry, Tracer } from "./telemetry/traces.ts";
