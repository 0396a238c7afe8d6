/** A log's retention: the default, and the application's own checked. */
import { type Chosen, givenOptions, type Kinds, numberFrom } from "../support/given-options.ts";
import type { Retention } from "./broker.ts";

/** The retention of a channel that declares none: ten minutes of a busy room. */
export const DEFAULT_RETENTION: Retention = {
  count: 10_000,
  bytes: 4_194_304,
  maxAgeMs: 600_000,
};

const RETENTION: Kinds<Retention> = {
  count: numberFrom(1, Infinity),
  bytes: numberFrom(1, Infinity),
  maxAgeMs: numberFrom(1, Infinity),
};

/**
 * The default with a channel's own retention in place. Infinity is no limit, of that one kind.
 *
 * @throws TypeError for a name that isn't one; RangeError when one is no positive number.
 */
export function retentionOf(where: string, own: Chosen<Retention> = {}): Retention {
  return { ...DEFAULT_RETENTION, ...givenOptions<Retention>(where, own, RETENTION) };
}
