/** @tailwire/server/core: the server without input and output, for simulators and other drivers. */
export { MemoryBroker, type MemoryBrokerOptions } from "./brokers/memory.ts";
export { Admitted } from "./access/admitted.ts";
export { type ChannelOptions, ChannelRules } from "./access/channel-rules.ts";
export type {
  Action,
  Application,
  Authenticated,
  Authorize,
  AuthorizeQuestion,
  Capability,
  ConnectionInfo,
  RequestContext,
  RequestHandler,
  SnapshotHook,
  User,
} from "./application.ts";
export type { Connection } from "./connection/connection.ts";
export {
  ACCEPTANCES,
  type Acceptance,
  CONNECTION_STATES,
  type ConnectionEvent,
  type ConnectionState,
} from "./connection/states.ts";
export { DEFAULT_LIMITS, type Limits } from "./limits.ts";
export { DEFAULT_RETENTION } from "./log/retention.ts";
export { type NodeOptions, TailwireNode } from "./node.ts";
export type { Logger, Ports, Transport } from "./ports.ts";
