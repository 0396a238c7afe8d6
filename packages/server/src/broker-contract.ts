/** For brokers: the contract that they keep, and the rules by which they append. */
export { AppendRules } from "./log/append-rules.ts";
export type {
  AppendRulesOptions,
  Candidate,
  Checkpoint,
  Decision,
  LogState,
  Producer,
  Refusal,
  Verdict,
} from "./log/append-rules.ts";
export { publicationBytes } from "./log/broker.ts";
export type {
  Append,
  AppendRefusal,
  AppendResult,
  Broker,
  BrokerLog,
  LogGap,
  PageLimit,
  Publication,
  ReadResult,
  Retention,
  Tail,
  TailListener,
} from "./log/broker.ts";
