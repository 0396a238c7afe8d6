// A client, told to do anything in any order: promises settle, followers see no hole, nothing leaks.
import { type Client, type Subscription } from "@tailwire/client/core";
import type { Clock } from "@tailwire/protocol";
import { Device, Follower, World } from "@tailwire/simulation";
import fc from "fast-check";
import { expect, test } from "vitest";

/** The objects that commands act on. */
interface Real {
  readonly world: World;
  readonly client: Client;
  readonly followers: Follower[];
  /** Promises that were given, and how each has ended. */
  readonly outcomes: { settled: boolean }[];
  readonly aborts: AbortController[];
  /** Readers that take publications one by one, and what they have asked for. */
  readonly iterators: AsyncIterator<unknown>[];
  readonly asked: { settled: boolean }[];
  published: number;
}

/** A clock that knows how many of its timers are still to come. */
class CountingClock implements Clock {
  readonly #clock: Clock;
  pending = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  soon(callback: () => void): void {
    this.#clock.soon(callback);
  }

  after(ms: number, callback: () => void): () => void {
    let left = 1;
    this.pending += 1;
    const end = (): void => {
      this.pending -= left;
      left = 0;
    };
    const cancel = this.#clock.after(ms, () => {
      end();
      callback();
    });
    return () => {
      end();
      cancel();
    };
  }
}

/** The model of the client: it only knows whether it was closed. */
interface Known {
  closed: boolean;
}

type Command = fc.AsyncCommand<Known, Real>;

/** Notes when a promise settles. That it rejects is an outcome like another. */
function watch(outcomes: { settled: boolean }[], promise: Promise<unknown>): void {
  const outcome = { settled: false };
  outcomes.push(outcome);
  const settle = (): void => {
    outcome.settled = true;
  };
  promise.then(settle, settle);
}

function command(name: string, act: (real: Real, known: Known) => void): Command {
  return {
    check: () => true,
    run: async (known, real) => {
      act(real, known);
      await real.world.clock.settle();
    },
    toString: () => name,
  };
}

const channelOf = (index: number): string => `room:${index}`;

const subscribes = fc
  .record({
    channel: fc.nat(1),
    start: fc.constantFrom("latest" as const, "earliest" as const, { rewind: { count: 1 } }),
    aborts: fc.boolean(),
  })
  .map(({ channel, start, aborts }) =>
    command(`subscribe ${channel} ${JSON.stringify(start)} ${aborts}`, (real) => {
      const abort = new AbortController();
      let subscription: Subscription;
      try {
        const signal = aborts ? { signal: abort.signal } : {};
        subscription = real.client.channel(channelOf(channel)).subscribe({ start, ...signal });
      } catch (error) {
        if ((error as { code?: string }).code === "closed") return;
        throw error;
      }
      if (aborts) real.aborts.push(abort);
      real.followers.push(new Follower(subscription));
    }),
  );

/** Iterators that nobody asks for the next publication, which pauses their subscription. */
const iterates = fc.nat(1).map((channel) =>
  command(`iterate ${channel}`, ({ client, iterators }, { closed }) => {
    if (closed || client.status.state === "closed") return;
    const subscription = client.channel(channelOf(channel)).subscribe({ start: "earliest" });
    iterators.push(subscription[Symbol.asyncIterator]());
  }),
);

const asks = fc.record({ index: fc.nat(2), ends: fc.boolean() }).map(({ index, ends }) =>
  command(`${ends ? "return" : "next"} ${index}`, ({ iterators, asked }) => {
    const iterator = iterators[index];
    const result = ends ? iterator?.return?.() : iterator?.next();
    if (result !== undefined) watch(asked, result);
  }),
);

const publishes = fc
  .record({
    channel: fc.nat(1),
    ttlMs: fc.constantFrom(undefined, 5, 60_000),
    aborts: fc.boolean(),
  })
  .map(({ channel, ttlMs, aborts }) =>
    command(`publish ${channel} ${ttlMs} ${aborts}`, (real) => {
      const abort = new AbortController();
      if (aborts) real.aborts.push(abort);
      real.published += 1;
      const options = { signal: abort.signal, ...(ttlMs === undefined ? {} : { ttlMs }) };
      const room = real.client.channel(channelOf(channel));
      watch(real.outcomes, room.publish("message", real.published, options));
    }),
  );

const unsubscribes = fc.nat(5).map((index) =>
  command(`unsubscribe ${index}`, (real) => {
    const follower = real.followers[index];
    if (follower !== undefined) watch(real.outcomes, follower.subscription.close());
  }),
);

const aborts = fc
  .nat(5)
  .map((index) =>
    command(`abort ${index}`, ({ aborts: all }) => all[index]?.abort(new Error("abort"))),
  );

const waits = fc.constantFrom(1, 15, 500, 30_000, 130_000).map((ms): Command => ({
  check: () => true,
  run: (_known, { world }) => world.advance(ms),
  toString: () => `wait ${ms}`,
}));

const faults = fc.constantFrom(
  command("cut", ({ world }) => world.links.at(-1)?.cut()),
  command("crash", ({ world }) => world.crash()),
  command("silence", ({ world }) => world.links.at(-1)?.silence("toClient")),
  command("stop reading", ({ world }) => world.links.at(-1)?.stopReading()),
  command("start reading", ({ world }) => world.links.at(-1)?.startReading()),
  command("unreachable", ({ world }) => {
    world.unreachable = !world.unreachable;
  }),
);

const connects = fc.constantFrom(
  command("goOffline", ({ client }) => client.goOffline()),
  command("goOnline", ({ client }) => client.goOnline()),
  command("retryNow", ({ client }) => client.retryNow()),
);

const closes = fc.constant(
  command("close", (real, known) => {
    known.closed = true;
    watch(real.outcomes, real.client.close());
  }),
);

const commands = fc.commands(
  [
    subscribes,
    iterates,
    asks,
    publishes,
    unsubscribes,
    aborts,
    waits,
    waits,
    faults,
    connects,
    closes,
  ],
  { maxCommands: 40 },
);

/** More than any run publishes. */
const ITEMS_MAX = 1_000;

/** Takes what is left, which has to have an end. */
async function drained(iterator: Real["iterators"][number]): Promise<void> {
  for (let left = ITEMS_MAX; left > 0; left -= 1) {
    const result = await iterator.next().catch(() => null);
    if (result?.done === true) return;
  }
  throw new Error("an iterator that is over goes on");
}

/** The world is well again, and the client has time. */
async function heal({ world, client }: Real): Promise<void> {
  world.unreachable = false;
  for (const link of world.links) link.startReading();
  client.goOnline();
  await world.advance(200_000);
}

test("whatever it is told in whatever order: promises settle, no follower sees a hole, nothing leaks", async () => {
  await fc.assert(
    fc.asyncProperty(commands, fc.nat(), async (all, seed) => {
      const world = new World({ seed });
      const clock = new CountingClock(world.clock);
      const device = new Device(clock);
      const client = world.client("ada", {}, device);
      const lists = { followers: [], outcomes: [], aborts: [], iterators: [], asked: [] };
      const real: Real = { world, client, ...lists, published: 0 };
      const known: Known = { closed: false };
      await fc.asyncModelRun(() => ({ model: known, real }), all);
      await heal(real);
      expect(real.outcomes.filter(({ settled }) => !settled)).toEqual([]);
      expect(real.followers.flatMap(({ violations }) => violations)).toEqual([]);
      // Subscriptions that weren't closed are caught up by now.
      const open = real.followers.filter(({ ended }) => ended === undefined);
      expect(open.filter(({ subscription }) => !subscription.caughtUp)).toEqual([]);
      expect(known.closed ? open : []).toEqual([]);
      await world.outcome(client.close());
      expect(client.status).toMatchObject({ state: "closed", pending: 0, retryAt: null });
      expect(real.followers.map(({ ended }) => ended)).not.toContain(undefined);
      // Iterators still give the publications that had arrived, then end.
      for (const iterator of real.iterators) await drained(iterator);
      expect(real.asked.filter(({ settled }) => !settled)).toEqual([]);
      // Whatever was begun is over: no link, no connection, no timer of the client's.
      await world.advance(200_000);
      expect(world.links.filter(({ isUp }) => isUp)).toEqual([]);
      const { connections, channels } = world.node;
      expect({ connections, channels }).toEqual({ connections: 0, channels: 0 });
      expect(clock.pending).toBe(0);
      expect(device.listeners.size).toBe(0);
    }),
    { numRuns: 150, seed: 20_260_101 },
  );
});
