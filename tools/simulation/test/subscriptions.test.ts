// Local subscriptions: several on one wire cursor, by listeners and by iteration, slow and fast.
import { expect, test } from "vitest";
import { BAD_TOKEN, changed, Device, Follower, World } from "@tailwire/simulation";

async function publish(world: World, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    await world.node.publish("room:1", "message", number);
  }
}

/** Subscribes that reached the server. */
function countSubscribes(world: World): () => number {
  let count = 0;
  world.tap = (direction, text) => {
    if (direction === "toServer") count += text.split('"type":"subscribe"').length - 1;
    return "arrives";
  };
  return () => count;
}

test("[SUB-1] local subscriptions to one channel share one on the wire", async () => {
  const world = new World();
  const subscribes = countSubscribes(world);
  const bob = world.client("bob");
  const one = new Follower(bob.channel("room:1").subscribe());
  const two = new Follower(bob.channel("room:1").subscribe());
  await world.until(() => one.caughtUps === 1 && two.caughtUps === 1);
  const three = new Follower(bob.channel("room:1").subscribe());
  await world.outcome(three.subscription.ready);
  await publish(world, 1, 3);
  await world.until(() => [one, two, three].every((each) => each.publications.length === 3));
  expect(subscribes()).toBe(1);
  await one.subscription.close();
  await publish(world, 4, 4);
  await world.until(() => two.publications.length === 4);
  expect(one.publications).toHaveLength(3);
  expect(world.node.channels).toBe(1);
  await two.subscription.close();
  await three.subscription.close();
  await world.advance(1_000);
  expect(world.node.channels).toBe(0);
});

test("[DEL-8] one that joins a cursor at the end is told so, though more came before its turn", async () => {
  const world = new World();
  const device = new Device(world.clock);
  const bob = world.client("bob", {}, device);
  const first = new Follower(bob.channel("room:1").subscribe());
  await world.until(() => first.caughtUps === 1);
  device.sleep();
  const joined = new Follower(bob.channel("room:1").subscribe());
  await publish(world, 1, 2);
  await world.advance(1_000);
  device.wake();
  await world.until(() => joined.publications.length === 2);
  await world.advance(1_000);
  expect([first.caughtUps, joined.caughtUps]).toEqual([1, 1]);
});

test("[DEL-8] each that joins a cursor at the end is told so once, when it can listen", async () => {
  const world = new World();
  await publish(world, 1, 3);
  const bob = world.client("bob");
  const first = new Follower(bob.channel("room:1").subscribe());
  await world.until(() => first.caughtUps === 1);
  const joined = new Follower(bob.channel("room:1").subscribe());
  const resumed = new Follower(
    bob.channel("room:1").subscribe({ start: joined.subscription.position ?? "latest" }),
  );
  const left = new Follower(bob.channel("room:1").subscribe());
  void left.subscription.close();
  await world.advance(1_000);
  const told = [first, joined, resumed, left].map(({ caughtUps }) => caughtUps);
  expect(told).toEqual([1, 1, 1, 0]);
  expect(joined.subscription.caughtUp).toBe(true);
});

test("a later subscription gets its own rewind, and the earlier one sees nothing twice", async () => {
  const world = new World();
  await publish(world, 1, 10);
  const bob = world.client("bob");
  const live = new Follower(bob.channel("room:1").subscribe());
  await world.until(() => live.caughtUps === 1);
  const rewound = new Follower(
    bob.channel("room:1").subscribe({ start: { rewind: { count: 4 } } }),
  );
  await world.outcome(rewound.subscription.ready);
  await publish(world, 11, 12);
  await world.until(() => rewound.publications.length === 6 && live.publications.length === 2);
  const all = new Follower(bob.channel("room:1").subscribe({ start: "earliest" }));
  await publish(world, 13, 13);
  await world.until(() => all.publications.length === 13);
  await world.advance(1_000);
  expect(live.data).toEqual([11, 12, 13]);
  expect(rewound.data).toEqual([7, 8, 9, 10, 11, 12, 13]);
  expect([live, rewound, all].flatMap(({ violations, gaps }) => [...violations, ...gaps])).toEqual(
    [],
  );
});

test("subscriptions in different epochs are all brought to the newest, each with its own gap", async () => {
  const world = new World();
  const { epoch } = await world.node.publish("room:1", "message", 1);
  world.crash();
  await publish(world, 1, 5);
  const bob = world.client("bob");
  const live = new Follower(bob.channel("room:1").subscribe());
  const stale = new Follower(
    bob.channel("room:1").subscribe({ start: { epoch, offset: 1, id: null } }),
  );
  const staler = new Follower(
    bob.channel("room:1").subscribe({ start: { epoch: "before", offset: 7, id: null } }),
  );
  await world.until(() => stale.publications.length === 5 && staler.publications.length === 5);
  await publish(world, 6, 6);
  await world.until(() => [live, stale, staler].every((each) => each.data.at(-1) === 6));
  await world.advance(10_000);
  expect(live.data).toEqual([6]);
  expect(stale.gaps).toMatchObject([{ reason: "epoch" }]);
  expect(staler.gaps).toMatchObject([{ reason: "epoch", from: { epoch: "before", offset: 7 } }]);
  expect([live, stale, staler].flatMap(({ violations }) => violations)).toEqual([]);
});

test("an iterator takes one publication per turn of its loop, and leaving the loop unsubscribes", async () => {
  const world = new World();
  await publish(world, 1, 5);
  const bob = world.client("bob");
  const subscription = bob.channel("room:1").subscribe({ start: "earliest" });
  const seen: unknown[] = [];
  const loop = (async () => {
    for await (const publication of subscription) {
      seen.push(publication.data);
      // The position doesn't include the publication that is being handled.
      expect(subscription.position?.offset).toBe(publication.position.offset - 1);
      if (publication.data === 3) break;
    }
  })();
  await world.outcome(loop);
  expect(seen).toEqual([1, 2, 3]);
  expect(subscription.state).toBe("closed");
  expect(subscription.position?.offset).toBe(3);
  await world.advance(1_000);
  expect(world.node.channels).toBe(0);
});

test("what arrives before the first listener waits for it", async () => {
  const world = new World();
  await publish(world, 1, 3);
  const subscription = world.client("bob").channel("room:1").subscribe({ start: "earliest" });
  await world.advance(5_000);
  expect(subscription.waiting).toBeGreaterThanOrEqual(3);
  const seen: unknown[] = [];
  subscription.on("message", ({ data }) => void seen.push(data));
  expect(seen).toEqual([1, 2, 3]);
});

test("a position moves on when its listener's promise has settled, one publication at a time", async () => {
  const world = new World();
  const subscription = world.client("bob").channel("room:1").subscribe();
  const began: unknown[] = [];
  const settle: (() => void)[] = [];
  subscription.on("message", ({ data }) => {
    began.push(data);
    return new Promise<void>((resolve) => settle.push(resolve));
  });
  await world.outcome(subscription.ready);
  await publish(world, 1, 2);
  await world.advance(1_000);
  expect(began).toEqual([1]);
  expect(subscription.position?.offset).toBe(0);
  settle[0]?.();
  await world.advance(1);
  expect(began).toEqual([1, 2]);
  expect(subscription.position?.offset).toBe(1);
});

test("an iterator that stops taking stops the server, and gets everything when it goes on", async () => {
  const world = new World({
    channels: { "room:{id}": { retention: { count: 50_000, bytes: 1e9 } } },
  });
  const bob = world.client("bob");
  const subscription = bob.channel("room:1").subscribe({ start: "earliest" });
  const iterator = subscription[Symbol.asyncIterator]();
  for (let batch = 0; batch < 20; batch += 1) {
    await publish(world, batch * 1_000 + 1, (batch + 1) * 1_000);
    await world.advance(100);
  }
  expect(subscription.waiting).toBeLessThanOrEqual(4_096);
  const written = world.link.writtenBytes;
  await publish(world, 20_001, 20_100);
  await world.advance(1_000);
  expect(world.link.writtenBytes - written).toBeLessThan(1_000);
  const seen: unknown[] = [];
  while (seen.length < 20_100) {
    const { value } = await world.outcome(iterator.next());
    seen.push(value?.data);
  }
  expect(seen).toEqual(Array.from({ length: 20_100 }, (_, index) => index + 1));
});

test("[AUTH-7] a refused subscription ends with its code, everywhere it can be heard", async () => {
  const world = new World();
  const bob = world.client("bob");
  const subscription = bob.channel("elsewhere").subscribe();
  const follower = new Follower(subscription);
  await expect(world.outcome(subscription.ready)).rejects.toMatchObject({ code: "forbidden" });
  expect(follower.ended).toBe("forbidden");
  expect(subscription.state).toBe("closed");
  const iterated = bob.channel("elsewhere").subscribe();
  await expect(
    world.outcome(
      (async () => {
        for await (const publication of iterated) expect(publication).toBe("never");
      })(),
    ),
  ).rejects.toMatchObject({ code: "forbidden" });
});

test("[AUTH-5] a refused token is asked for once more, and then everything ends", async () => {
  const world = new World();
  let tokens = 0;
  const bob = world.client("bob", {
    getToken: () => {
      tokens += 1;
      return BAD_TOKEN;
    },
  });
  const follower = new Follower(bob.channel("room:1").subscribe());
  const published = bob.channel("room:1").publish("message", 1);
  await expect(world.outcome(published)).rejects.toMatchObject({
    code: "unauthenticated",
  });
  await world.advance(60_000);
  expect(tokens).toBe(2);
  expect(bob.status).toMatchObject({ state: "closed", reason: "unauthenticated" });
  expect(follower.ended).toBe("unauthenticated");
  expect(() => bob.channel("room:1").subscribe()).toThrow("closed");
});

test("a subscription that is aborted, closed, or left in a handler ends quietly", async () => {
  const world = new World();
  const bob = world.client("bob");
  const abort = new AbortController();
  const aborted = new Follower(bob.channel("room:1").subscribe({ signal: abort.signal }));
  const inHandler = bob.channel("room:1").subscribe();
  const seen: unknown[] = [];
  inHandler.on("message", ({ data }) => {
    seen.push(data);
    void inHandler.close();
  });
  const before = bob.channel("room:1").subscribe({ signal: AbortSignal.abort() });
  expect(before.state).toBe("closed");
  await world.outcome(aborted.subscription.ready);
  abort.abort();
  expect(aborted.ended).toBe(null);
  await publish(world, 1, 3);
  await world.advance(1_000);
  expect(seen).toEqual([1]);
  expect(aborted.publications).toEqual([]);
  {
    await using scoped = bob.channel("room:1").subscribe();
    await world.outcome(scoped.ready);
  }
  await world.advance(1_000);
  expect(world.node.channels).toBe(0);
});

test("[SUB-5] subscribing again at once, many times, ends with one live subscription", async () => {
  const world = new World();
  const bob = world.client("bob");
  for (let turn = 0; turn < 10; turn += 1) {
    const subscription = bob.channel("room:1").subscribe();
    if (turn % 3 === 0) await world.advance(turn * 4);
    await subscription.close();
  }
  const last = new Follower(bob.channel("room:1").subscribe());
  await world.until(() => last.caughtUps === 1);
  await publish(world, 1, 2);
  await world.until(() => last.publications.length === 2);
  expect(last.violations).toEqual([]);
});

test("a publication that no client can read leads to patient tries, not to a storm", async () => {
  const world = new World({
    wrapBroker: (broker) =>
      changed(broker, (log) => {
        const spoil: typeof log.append = (batch) =>
          log.append(
            batch.map((append) =>
              append.event === "bad" ? { ...append, event: [] as unknown as string } : append,
            ),
          );
        return { append: spoil };
      }),
  });
  const subscribes = countSubscribes(world);
  const follower = new Follower(world.client("bob").channel("room:1").subscribe());
  await world.outcome(follower.subscription.ready);
  await world.node.publish("room:1", "bad", 1);
  await world.node.publish("room:1", "message", 2);
  await world.advance(10 * 60_000);
  expect(follower.publications).toEqual([]);
  expect(subscribes()).toBeLessThan(35);
});
