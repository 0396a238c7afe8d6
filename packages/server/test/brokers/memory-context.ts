// A memory broker on a simulated clock, as the brokers' contract suite wants it.
import type { Broker } from "@tailwire/server/broker-contract";
import type { BrokerContext } from "@tailwire/server/broker-contract-suite";
import { MemoryBroker } from "@tailwire/server/core";
import { Dice, SimulatedClock } from "@tailwire/simulation";

/** Small enough that a case can fill it. */
export const DEDUPE = { dedupeMs: 40_000, window: 50, producersMax: 50 };

export interface OnClock<Kind extends Broker> extends BrokerContext {
  readonly broker: Kind;
  readonly clock: SimulatedClock;
}

export type MemoryContext = OnClock<MemoryBroker>;

export function memoryContext(): MemoryContext {
  const clock = new SimulatedClock();
  const broker = new MemoryBroker({ ...DEDUPE, clock, random: new Dice(1) });
  return onClock(clock, broker);
}

/** A broker's context, whose time is the clock's. */
export function onClock<Kind extends Broker>(clock: SimulatedClock, broker: Kind): OnClock<Kind> {
  return {
    ...DEDUPE,
    clock,
    broker,
    other: broker,
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    until: (condition) => clock.until(condition, 10_000),
    time: { advance: (ms) => clock.advance(ms), jump: (ms) => clock.jump(ms) },
  };
}
