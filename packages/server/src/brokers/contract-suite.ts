/**
 * The contract of a broker as cases: one suite for every broker, run by any test framework.
 *
 * A case throws where the broker breaks the contract. It knows no broker: what differs between
 * them, time above all, comes with the context. Nothing here compares offsets but for their order.
 */
import { APPEND_CASES } from "./suite/append-suite.ts";
import type { BrokerCase } from "./suite/case.ts";
import { CHANNEL_CASES } from "./suite/channels-suite.ts";
import { READ_CASES } from "./suite/read-suite.ts";
import { RETENTION_CASES } from "./suite/retention-suite.ts";
import { TAIL_CASES } from "./suite/tail-suite.ts";

export type { BrokerCase, BrokerContext, BrokerTime } from "./suite/case.ts";

/** Every case, in the order in which they build on each other. A fresh context for each. */
export const BROKER_CASES: readonly BrokerCase[] = [
  ...APPEND_CASES,
  ...READ_CASES,
  ...TAIL_CASES,
  ...RETENTION_CASES,
  ...CHANNEL_CASES,
];
