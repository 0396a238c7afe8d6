/**
 * A case of the broker's contract, and what it is given.
 *
 * Differences between brokers, time above all, come with the context; a case knows no broker and no
 * test framework.
 */
import type { Broker } from "../../log/broker.ts";

/** The context that a case is given. */
export interface BrokerContext {
  /** A broker that nobody has used yet. */
  readonly broker: Broker;
  /** The broker's `dedupeMs`: how long it remembers an id, at least. */
  readonly dedupeMs: number;
  /** The broker's limit of ids per producer and channel. 100 or less keep cases short. */
  readonly dedupeRecordsMax: number;
  /** Unix milliseconds by the broker's clock. */
  readonly now: () => number;
  /** Resolves when the condition holds; rejects when that takes too long for a push. */
  readonly until: (condition: () => boolean) => Promise<void>;
  /** Where the broker's time can be controlled. */
  readonly time?: BrokerTime;
}

export interface BrokerTime {
  /** Lets time pass, with whatever the broker does meanwhile. */
  readonly advance: (ms: number) => Promise<void>;
  /** Sets the broker's wall clock forward, or back. */
  readonly jump: (ms: number) => void;
}

export interface BrokerCase {
  /** A fact about every broker, in the present tense. */
  readonly name: string;
  /** `time`: skip it where the context has none. */
  readonly needs?: "time";
  /** @throws Error saying what the broker did instead. */
  readonly run: (context: BrokerContext) => Promise<void>;
}

/** The time of a context, in cases that need it. */
export function timeOf({ time }: BrokerContext): BrokerTime {
  if (time === undefined) throw new Error("this case needs time");
  return time;
}
