/**
 * The contract of a broker as cases: one suite for every broker, run by any test framework.
 *
 * A case throws where the broker breaks the contract.
 */
import { APPEND_CASES } from "./suite/append-suite.ts";
import type { BrokerCase } from "./suite/case.ts";
import { CHANNEL_CASES } from "./suite/channels-suite.ts";
import { MEMORY_CASES } from "./suite/memory-suite.ts";
import { READ_CASES } from "./suite/read-suite.ts";
import { RETENTION_CASES } from "./suite/retention-suite.ts";
import { SIGHT_CASES } from "./suite/sight-suite.ts";
import { TAIL_CASES } from "./suite/tail-suite.ts";

export type { BrokerCase, BrokerContext, BrokerTime } from "./suite/case.ts";
export { SuiteClock } from "./suite/suite-clock.ts";

/** Every case. Later ones rely on facts that earlier ones check. Run each with a new context. */
export const BROKER_CASES: readonly BrokerCase[] = [
  ...APPEND_CASES,
  ...MEMORY_CASES,
  ...READ_CASES,
  ...TAIL_CASES,
  ...SIGHT_CASES,
  ...RETENTION_CASES,
  ...CHANNEL_CASES,
];
