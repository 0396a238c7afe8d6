// Handlers of applications that subscribe again, close, publish, and register anew.
import { describe, expect, test } from "vitest";
import type { Client } from "@tailwire/client/core";
import { Follower, World } from "@tailwire/simulation";

/** More calls than any of these handlers has cause for: a walk that goes on for ever ends here. */
const CALLS_MAX = 100;

/** Counts calls, and throws when there is no end to them. */
function counter() {
  const count = { calls: 0 };
  const called = (): void => {
    count.calls += 1;
    if (count.calls > CALLS_MAX) throw new Error("called without end");
  };
  return { count, called };
}

const thrice = <Value>(value: Value): readonly Value[] => [value, value, value];

async function publish(world: World, data: unknown): Promise<void> {
  await world.outcome(world.node.publish("room:1", "message", data));
}

/** A client that follows the room three times, and is at its end. */
async function threeOf(world: World): Promise<{ client: Client; followers: Follower[] }> {
  const client = world.client("ada");
  const room = client.channel("room:1");
  const followers = [1, 2, 3].map(() => new Follower(room.subscribe()));
  await world.until(() => followers.every(({ caughtUps }) => caughtUps === 1));
  return { client, followers };
}

describe("who subscribes again when a subscription ends", () => {
  test.each(["removed", "forbidden"] as const)("as %s, begins once for each end", async (code) => {
    const world = new World({
      application: { authorize: () => code !== "forbidden" },
    });
    const room = world.client("ada").channel("room:1");
    const { count, called } = counter();
    const again: Follower[] = [];
    for (let number = 1; number <= 3; number += 1) {
      room.subscribe().onEnd(() => {
        called();
        again.push(new Follower(room.subscribe()));
      });
    }
    await world.advance(100);
    if (code === "removed") world.node.unsubscribe("ada", "room:1");
    await world.advance(100);
    expect(count.calls).toBe(3);
    expect(again.map(({ ended }) => ended)).toEqual(
      thrice(code === "removed" ? undefined : "forbidden"),
    );
    await publish(world, 1);
    await world.advance(100);
    expect(again.map(({ data }) => data)).toEqual(thrice(code === "removed" ? [1] : []));
  });

  test("because its client is closed, is told so", async () => {
    const world = new World();
    const { client, followers } = await threeOf(world);
    const codes: string[] = [];
    for (const { subscription } of followers) {
      subscription.onEnd(() => {
        try {
          client.channel("room:1").subscribe();
        } catch (error) {
          codes.push((error as { code: string }).code);
        }
      });
    }
    await world.outcome(client.close());
    expect(codes).toEqual(["closed", "closed", "closed"]);
  });
});

describe("a handler of a publication", () => {
  test("may subscribe once more: the new one begins behind it, and nobody misses anything", async () => {
    const world = new World();
    const { client, followers } = await threeOf(world);
    const more: Follower[] = [];
    const { called } = counter();
    for (const { subscription } of followers) {
      const stop = subscription.on("message", ({ position }) => {
        called();
        stop();
        more.push(new Follower(client.channel("room:1").subscribe({ start: position })));
      });
    }
    for (const data of [1, 2, 3]) await publish(world, data);
    await world.advance(1_000);
    expect(followers.map(({ data }) => data)).toEqual(thrice([1, 2, 3]));
    expect(more.map(({ data }) => data)).toEqual(thrice([2, 3]));
    expect([...followers, ...more].flatMap(({ violations }) => violations)).toEqual([]);
  });

  test("may close its siblings, before they are told", async () => {
    const world = new World();
    const { followers } = await threeOf(world);
    const [first, ...siblings] = followers;
    first?.subscription.on("message", () => {
      for (const { subscription } of siblings) void subscription.close();
    });
    await publish(world, 1);
    await publish(world, 2);
    await world.advance(100);
    expect(followers.map(({ data }) => data)).toEqual([[1, 2], [], []]);
  });

  test("may close the client, and what came with it isn't handed over", async () => {
    const world = new World();
    const { client, followers } = await threeOf(world);
    followers[0]?.subscription.on("message", () => void client.close());
    void publish(world, 1);
    void publish(world, 2);
    await world.advance(10_000);
    expect(client.status.state).toBe("closed");
    expect(world.node.connections).toBe(0);
  });

  test("may publish: it comes after what is being told, once, to everybody", async () => {
    const world = new World();
    const { client, followers } = await threeOf(world);
    const { called } = counter();
    const stop = followers[1]?.subscription.on("message", () => {
      called();
      stop?.();
      void client.channel("room:1").publish("message", "answer");
    });
    await publish(world, "question");
    await world.advance(100);
    expect(followers.map(({ data }) => data)).toEqual(thrice(["question", "answer"]));
  });
});

describe("a handler of caughtup, of one who joins others at the end", () => {
  test.each(["earliest", "latest"] as const)("may subscribe once more, from %s", async (start) => {
    const world = new World();
    const { client, followers } = await threeOf(world);
    for (const data of [1, 2, 3]) await publish(world, data);
    await world.advance(100);
    const codes: string[] = [];
    world.tap = (_direction, text) => {
      if (text.includes('"type":"error"')) codes.push(text);
      return "arrives";
    };
    const { called } = counter();
    const room = client.channel("room:1");
    for (let number = 1; number <= 3; number += 1) {
      const joins = new Follower(room.subscribe());
      joins.subscription.onCaughtUp(() => {
        called();
        followers.push(new Follower(room.subscribe({ start })));
      });
    }
    await world.advance(1_000);
    await publish(world, 4);
    await world.advance(100);
    const behind = start === "earliest" ? [1, 2, 3, 4] : [4];
    expect(followers.map(({ data }) => data)).toEqual([
      ...thrice([1, 2, 3, 4]),
      ...followers.slice(3).map(() => behind),
    ]);
    expect(followers.length).toBeGreaterThan(5);
    expect(followers.flatMap(({ violations }) => violations)).toEqual([]);
    expect(codes).toEqual([]);
  });

  test("may close it, and its siblings", async () => {
    const world = new World();
    const { client, followers } = await threeOf(world);
    const late = client.channel("room:1").subscribe();
    late.onCaughtUp(() => {
      for (const { subscription } of followers) void subscription.close();
      void late.close();
    });
    await world.advance(1_000);
    expect(world.node.subscriptions).toBe(0);
    const next = new Follower(client.channel("room:1").subscribe());
    await world.outcome(next.subscription.ready);
    await publish(world, 1);
    await world.advance(100);
    expect(next.data).toEqual([1]);
  });
});

test("a listener of status or of begun subscriptions that registers anew is told each once", async () => {
  const world = new World();
  const client = world.client("ada");
  const { count, called } = counter();
  const rearm = (listen: (listener: () => void) => () => void): void => {
    const stop = listen(() => {
      called();
      stop();
      rearm(listen);
    });
  };
  const told: string[] = [];
  client.onStatus(({ state }) => told.push(state));
  rearm((listener) => client.onStatus(listener));
  client.channel("room:1").subscribe();
  await world.advance(1_000);
  expect(count.calls).toBe(told.length);
  const before = count.calls;
  rearm((listener) => client.onSubscribed(listener));
  world.node.subscribe("ada", "room:2");
  await world.advance(1_000);
  expect(count.calls).toBe(before + 1);
  for (const odd of [undefined, null, {}] as unknown as (() => void)[]) {
    expect(() => client.onStatus(odd)).toThrow(TypeError);
    expect(() => client.onSubscribed(odd)).toThrow(TypeError);
  }
});
