/** For brokers: the contract that they keep, and the rules by which they append. */
export { AppendRules } from "./log/append-rules.ts";
export type {
  AppendRulesOptions,
  Candidate,
  Checkpoint,
  Decision,
  LogState,
} from "./log/append-rules.ts";
export type { BrokerHost, OpenBroker } from "./log/broker-host.ts";
export type { Awaitable } from "./support/awaitable.ts";
export { pause, withDeadline } from "./support/waits.ts";
export { fingerprint } from "./log/fingerprint.ts";
export { LOST_PUSH_MS, publicationBytes } from "./log/broker.ts";
export type {
  Append,
  AppendRefusal,
  AppendResult,
  Broker,
  BrokerLog,
  BrokerState,
  LogGap,
  PageLimit,
  Producer,
  Publication,
  ReadResult,
  Retention,
  Tail,
  TailListener,
} from "./log/broker.ts";
