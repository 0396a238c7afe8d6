/** @tailwire/server/core: the server without input and output, for simulators and other drivers. */
export { MemoryBroker, type MemoryBrokerOptions } from "./brokers/memory.ts";
export { Admitted } from "./access/admitted.ts";
export type {
  Action,
  Authenticated,
  Authorize,
  AuthorizeQuestion,
  Capability,
  User,
} from "./access/access.ts";
export type { Application, ConnectionInfo, RequestContext, RequestHandler } from "./application.ts";
export { type ChannelOptions, ChannelRules, type SnapshotHook } from "./access/channel-rules.ts";
export type { Connection } from "./connection/connection.ts";
export {
  ACCEPTANCES,
  type Acceptance,
  CONNECTION_STATES,
  type ConnectionEvent,
  type ConnectionState,
} from "./connection/states.ts";
export { DEFAULT_LIMITS, DEFAULT_RETENTION, type Limits } from "./limits.ts";
export { type NodeOptions, TailwireNode } from "./node.ts";
export type { Logger, Ports, Transport } from "./ports.ts";
