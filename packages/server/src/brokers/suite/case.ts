/**
 * The interface of a case of the broker's contract, and of its context.
 *
 * The context has the differences between brokers, time above all; a case knows no broker and no test
 * framework.
 */
import type { Broker } from "../../log/broker.ts";

/** A broker under test, and its circumstances. Each case needs a new one. */
export interface BrokerContext {
  /** A broker without any log. */
  readonly broker: Broker;
  /** Another node's broker for the same logs. The same object where they belong to one process. */
  readonly other: Broker;
  /** Milliseconds for which the broker remembers an id, at least. */
  readonly dedupeMs: number;
  /** The broker's limit of a producer's publications above `settled`. 100 or less keep cases short. */
  readonly window: number;
  /** The broker's limit of producers per channel. 100 or less keep cases short. */
  readonly producersMax: number;
  /** Unix milliseconds by the broker's clock. */
  readonly now: () => number;
  /** The node's monotonic clock. */
  readonly monotonic: () => number;
  /** Resolves when the condition holds. @throws Error when a push that takes so long must be lost. */
  readonly until: (condition: () => boolean) => Promise<void>;
  /**
   * Absent where the broker's time can't be controlled. Where it can, the broker was made with a clock of the
   * test's, such as `SuiteClock`; an adapter tells a broker in another process the time with each call.
   */
  readonly time?: BrokerTime;
  /** From now on all pushes to {@link broker} are lost on their way. Absent where none can be. */
  readonly losePushes?: () => void;
}

/** Control of a broker's time. */
export interface BrokerTime {
  /** Lets that many milliseconds pass, and everything happen that is due by then. */
  readonly advance: (ms: number) => Promise<void>;
  /** Moves the broker's wall clock by so many milliseconds, forward or back. */
  readonly jump: (ms: number) => void;
}

/** One case: run it with a new context, in any test framework. */
export interface BrokerCase {
  /** The fact about every broker that it checks, in the present tense. */
  readonly name: string;
  /** `time`: skip the case where the context has no `time`. */
  readonly needs?: "time";
  /** @throws Error that says what the broker did instead. */
  readonly run: (context: BrokerContext) => Promise<void>;
}

/** The context's time. @throws Error where it has none. */
export function timeOf({ time }: BrokerContext): BrokerTime {
  if (time === undefined) throw new Error("this case needs time");
  return time;
}
