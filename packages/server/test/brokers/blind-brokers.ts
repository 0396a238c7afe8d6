// Brokers that lose pushes in silence, or don't see what they have said themselves, each in one way.
import type { Position } from "@tailwire/protocol";
import type { BrokerLog } from "@tailwire/server/broker-contract";
import type { SimulatedClock } from "@tailwire/simulation";
import { type BrokenBroker, broker, eachPush, log } from "./breaking.ts";

/** How long a replica lags behind, in milliseconds. */
const LAG_MS = 10;

/** A replica that doesn't have yet what came in the last moment. */
class Replica {
  readonly #clock: SimulatedClock;
  /** So many publications. */
  behind = 0;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  note(count: number): void {
    this.behind += count;
    this.#clock.after(LAG_MS, () => {
      this.behind -= count;
    });
  }

  /** The same read without what it doesn't have. */
  shorten<Read extends { readonly publications: readonly unknown[] }>(read: Read): Read {
    const { publications } = read;
    return { ...read, publications: publications.slice(0, publications.length - this.behind) };
  }

  /** The end as it has it. */
  endOf(position: Position): Position {
    return { ...position, offset: position.offset - this.behind, id: null };
  }
}

/** Lets a replica lag behind what is acknowledged, or behind what is pushed. */
const NOTING = {
  acknowledged: (sound: BrokerLog, replica: Replica): Partial<BrokerLog> => ({
    append: async (batch) => {
      const results = await sound.append(batch);
      replica.note(batch.length);
      return results;
    },
  }),
  pushed: (sound: BrokerLog, replica: Replica): Partial<BrokerLog> =>
    eachPush((listener, epoch, all) => {
      replica.note(all.length);
      listener.push(epoch, all);
    })(sound),
};

/** Has one question answered by the replica. */
const ASKING = {
  read: (sound: BrokerLog, replica: Replica): Partial<BrokerLog> => ({
    read: async (after, limit) => replica.shorten(await sound.read(after, limit)),
  }),
  readBack: (sound: BrokerLog, replica: Replica): Partial<BrokerLog> => ({
    readBack: async (before, limit) => replica.shorten(await sound.readBack(before, limit)),
  }),
  locate: (sound: BrokerLog, replica: Replica): Partial<BrokerLog> => ({
    locate: async (start) => replica.endOf(await sound.locate(start)),
  }),
  tail: (sound: BrokerLog, replica: Replica): Partial<BrokerLog> => ({
    tail: async (listener) => {
      const tail = await sound.tail(listener);
      return { position: replica.endOf(tail.position), close: () => tail.close() };
    },
  }),
};

const LAGGING = Object.entries(NOTING).flatMap(([what, noting]) =>
  Object.entries(ASKING).map(([question, asking]) =>
    broker(`its ${question} lags behind what it has ${what}`, `see what was ${what}`, (context) => {
      const replica = new Replica(context.clock);
      return {
        log: (channel, retention) => {
          const sound = context.broker.log(channel, retention);
          const noted = { ...sound, ...noting(sound, replica) };
          return { ...noted, ...asking(noted, replica) };
        },
      };
    }),
  ),
);

export const BLIND_BROKERS: readonly BrokenBroker[] = [
  log(
    "it loses pushes without a word",
    "a push that is lost is suspected",
    eachPush(() => undefined),
  ),
  broker(
    "it suspects too late",
    "a push that is lost is suspected",
    ({ broker: sound, clock }) => ({
      log: (channel, retention) => {
        const one = sound.log(channel, retention);
        const suspectLate = eachPush((listener) => {
          clock.after(2_001, () => listener.suspect());
        });
        return { ...one, ...suspectLate(one) };
      },
    }),
  ),
  ...LAGGING,
];
