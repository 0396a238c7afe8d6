/** A broker that keeps logs in memory, and for one channel fails in one method, or does something before. */
import {
  type Broker,
  type BrokerLog,
  DEFAULT_LIMITS,
  MemoryBroker,
  type Retention,
} from "@tailwire/server";
import { Dice } from "@tailwire/simulation";
import { CALLS_MAX, type Conduct } from "./conduct.ts";

export type BrokerMethod = (typeof BROKER_METHODS)[number];

/** The method that isn't done as it should be. */
export interface Act {
  readonly method: BrokerMethod;
  readonly conduct: Conduct;
}

/** The methods; `push` stands for the pushes. */
export const BROKER_METHODS = ["append", "read", "readBack", "locate", "tail", "push"] as const;

export class OddBroker implements Broker {
  readonly capabilities = { durable: false };
  readonly #memory: MemoryBroker;
  readonly #actOn: (channel: string) => Act | null;

  constructor(actOn: (channel: string) => Act | null) {
    this.#actOn = actOn;
    const clock = {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      after: (ms: number, callback: () => void) => {
        const timer = setTimeout(callback, ms).unref();
        return () => clearTimeout(timer);
      },
      soon: (callback: () => void) => void setImmediate(callback),
    };
    this.#memory = new MemoryBroker({ ...DEFAULT_LIMITS, clock, random: new Dice(1) });
  }

  log(channel: string, retention: Retention): BrokerLog {
    const log = this.#memory.log(channel, retention);
    const act = this.#actOn(channel);
    // A log whose method is called without end would never come to be told of.
    if (act === null || act.conduct.calls > CALLS_MAX) return log;
    const run = (): unknown => act.conduct.run();
    switch (act.method) {
      case "push":
        return {
          ...log,
          tail: async (listener) => {
            const tail = await log.tail(listener);
            await run();
            listener.suspect();
            return tail;
          },
        };
      default:
        return { ...log, [act.method]: after(run, log[act.method]) };
    }
  }

  onState(): void {
    // It is always up.
  }

  close(): Promise<void> {
    return this.#memory.close();
  }
}

/** The method as it is, once something else has been done: at once where that isn't waited for. */
function after(
  run: () => unknown,
  method: (...args: never[]) => unknown,
): (...args: never[]) => unknown {
  return (...args) => {
    const ran = run();
    return ran === undefined ? method(...args) : Promise.resolve(ran).then(() => method(...args));
  };
}
