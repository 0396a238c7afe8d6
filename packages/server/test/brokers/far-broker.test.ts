// The suite fits a broker in another process: it is told the time with each call, and answers later.
import { describe, expect, test } from "vitest";
import type { Awaitable, Broker, BrokerLog, Retention } from "@tailwire/server/broker-contract";
import {
  BROKER_CASES,
  type BrokerContext,
  SuiteClock,
} from "@tailwire/server/broker-contract-suite";
import { MemoryBroker } from "@tailwire/server/core";
import { Dice } from "@tailwire/simulation";

const OPTIONS = { dedupeMs: 40_000, window: 50, producersMax: 50 };

const hop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Two hops to the other process and back, with turns to spare. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) await hop();
}

/** The other process: it keeps logs, has no timers, and knows no time but the last that it was told. */
class FarProcess {
  #time = { now: 0, monotonic: 0 };
  readonly #memory = new MemoryBroker({
    ...OPTIONS,
    random: new Dice(1),
    clock: {
      now: () => this.#time.now,
      monotonic: () => this.#time.monotonic,
      after: () => () => undefined,
      soon: () => undefined,
    },
  });

  at(clock: SuiteClock, channel: string, retention: Retention): BrokerLog {
    this.#time = { now: clock.now(), monotonic: clock.monotonic() };
    return this.#memory.log(channel, retention);
  }
}

/** A node's broker that asks the other process. Where it loses pushes, it looks once a second. */
class FarBroker implements Broker {
  readonly capabilities = { durable: false };
  losesPushes = false;
  readonly #far: FarProcess;
  readonly #clock: SuiteClock;

  constructor(far: FarProcess, clock: SuiteClock) {
    this.#far = far;
    this.#clock = clock;
  }

  log(channel: string, retention: Retention): BrokerLog {
    const ask = async <Value>(run: (log: BrokerLog) => Awaitable<Value>): Promise<Value> => {
      await hop();
      const value = await run(this.#far.at(this.#clock, channel, retention));
      await hop();
      return value;
    };
    return {
      append: (batch) => ask((log) => log.append(batch)),
      read: (after, limit) => ask((log) => log.read(after, limit)),
      readBack: (before, limit) => ask((log) => log.readBack(before, limit)),
      locate: (start) => ask((log) => log.locate(start)),
      tail: async (listener) => {
        let isOpen = true;
        const tail = await ask((log) =>
          log.tail({
            suspect: () => undefined,
            push: (epoch, publications) => {
              if (this.losesPushes) this.#clock.after(1_000, () => listener.suspect());
              else void hop().then(() => isOpen && listener.push(epoch, publications));
            },
          }),
        );
        const close = (): void => {
          isOpen = false;
          tail.close();
        };
        return { position: tail.position, close };
      },
    };
  }

  onState(): void {
    // It is always up.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function farContext(): BrokerContext {
  const clock = new SuiteClock(settle);
  const far = new FarProcess();
  const broker = new FarBroker(far, clock);
  return {
    ...OPTIONS,
    broker,
    other: new FarBroker(far, clock),
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    until: (condition) => clock.until(condition),
    time: clock,
    losePushes: () => {
      broker.losesPushes = true;
    },
  };
}

describe("the contract, by a broker in another process", () => {
  test.each(BROKER_CASES)("$name", async ({ run }) => {
    await expect(run(farContext())).resolves.toBeUndefined();
  });
});

describe("its clock", () => {
  test("fires timers in the order of their time, each at its time, and none that was cancelled", async () => {
    const clock = new SuiteClock(settle);
    const fired: string[] = [];
    const note = (name: string) => () => fired.push(`${name} at ${clock.monotonic()}`);
    clock.after(20, note("b"));
    clock.after(10, note("a"));
    clock.after(20, note("c"));
    clock.after(Number.NaN, note("never"));
    clock.after(15, note("cancelled"))();
    clock.after(10, () => clock.after(5, note("a's")));
    await clock.advance(19);
    expect(fired).toEqual(["a at 10", "a's at 15"]);
    await clock.advance(1_000);
    expect(fired.slice(2)).toEqual(["b at 20", "c at 20"]);
    expect(clock.monotonic()).toBe(1_019);
  });

  test("a jump moves the wall clock alone", () => {
    const clock = new SuiteClock(settle, 1_000);
    clock.jump(-300);
    expect([clock.now(), clock.monotonic()]).toEqual([700, 0]);
  });

  test("a condition that never holds ends the wait", async () => {
    const clock = new SuiteClock(settle);
    await expect(clock.until(() => false)).rejects.toThrow("it doesn't hold in time");
    expect(clock.monotonic()).toBe(10_000);
  });

  test("soon comes after what has begun, without time passing", async () => {
    const clock = new SuiteClock(settle);
    const order: string[] = [];
    clock.soon(() => order.push("soon"));
    void hop().then(() => order.push("begun"));
    await clock.until(() => order.length === 2);
    expect(order).toEqual(["begun", "soon"]);
  });
});
