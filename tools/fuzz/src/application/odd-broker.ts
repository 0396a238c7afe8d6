/** A broker that keeps logs in memory, and for one channel does something else in one method. */
import { JsonText } from "@tailwire/protocol";
import {
  type Broker,
  type BrokerLog,
  DEFAULT_LIMITS,
  MemoryBroker,
  type Retention,
} from "@tailwire/server";
import { Dice } from "@tailwire/simulation";
import { CALLS_MAX, type Conduct } from "./conduct.ts";

export type BrokerMethod = keyof typeof BROKER_ANSWERS;

/** What isn't done as it should be. */
export interface Act {
  readonly method: string;
  readonly conduct: Conduct;
}

const POSITION = { epoch: "e", offset: 1, id: "p1" };

const PUBLICATION = {
  id: "p1",
  offset: 1,
  timestamp: 1_700_000_000_000,
  publisher: null,
  event: "e",
  data: JsonText.of({ text: "x" }),
};

const GAP = { reason: "trimmed", to: POSITION, continuesAfter: POSITION, lost: 1 };

const page = (dice: Dice): unknown =>
  dice.below(3) === 0
    ? { kind: "gap", gap: GAP }
    : { kind: "publications", epoch: "e", publications: [PUBLICATION] };

/** What each method may give; `push` and `log` stand for what is pushed, and for the handle. */
export const BROKER_ANSWERS = {
  append: (dice: Dice): unknown =>
    dice.below(3) === 0
      ? [{ kind: "refused", code: "rate_limited" }]
      : [{ kind: "appended", position: POSITION, duplicate: false }],
  read: page,
  readBack: page,
  locate: (): unknown => POSITION,
  tail: (): unknown => ({ position: POSITION, close: () => undefined }),
  push: (): unknown => ["e", [PUBLICATION]],
  log: (): unknown => ({
    append: async () => [],
    read: async () => GAP,
    readBack: async () => GAP,
    locate: async () => POSITION,
    tail: async () => ({ position: POSITION, close: () => undefined }),
  }),
} as const;

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
    // What is called without end would never come to be told of.
    if (act === null || act.conduct.calls > CALLS_MAX) return log;
    const run = (): unknown => act.conduct.run();
    switch (act.method) {
      case "log":
        return ownPromise(run()) as BrokerLog;
      case "push":
        return {
          ...log,
          tail: async (listener) => {
            const tail = await log.tail(listener);
            const [epoch, publications] = (await run()) as [string, []];
            listener.push(epoch, publications);
            listener.suspect();
            return tail;
          },
        };
      default:
        return { ...log, [act.method]: run };
    }
  }

  close(): Promise<void> {
    return this.#memory.close();
  }
}

/** A promise where none is expected is the application's own to look after. */
function ownPromise<Value>(value: Value): Value {
  if (value instanceof Promise) value.catch(() => undefined);
  return value;
}
