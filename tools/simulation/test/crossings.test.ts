// Messages of client and server about one subscription that cross on their way.
import { describe, expect, test } from "vitest";
import { type ErrorCode, tailwireError } from "@tailwire/protocol";
import { Follower, World } from "@tailwire/simulation";

/** One way takes 10 ms. */
const ROUND_TRIP_MS = 20;

/** A world in which ada follows a room with three publications, and what she is told of errors. */
async function stage() {
  const world = new World();
  for (let number = 1; number <= 3; number += 1) await say(world, number);
  const ada = world.client("ada");
  const room = ada.channel("room:1");
  const codes: string[] = [];
  world.tap = (direction, text) => {
    if (direction === "toClient") {
      codes.push(
        ...[...text.matchAll(/"type":"error".*?"code":"(\w+)"/g)].map(([, code = ""]) => code),
      );
    }
    return "arrives";
  };
  const live = new Follower(room.subscribe());
  await world.until(() => live.caughtUps === 1);
  return { world, ada, room, codes, live };
}

async function say(world: World, number: number): Promise<void> {
  await world.outcome(world.node.publish("room:1", "message", number));
}

/** The server ends the subscription that it has, if it has one. */
function end(world: World, code: ErrorCode): void {
  world.link.connection?.endSubscription("room:1", tailwireError(code));
}

describe("[SUB-9] an unsubscribed that crosses unsubscribe and subscribe is of the cursor that was", () => {
  test.each(["removed", "forbidden"] as const)(
    "%s ends who was on it, and who has joined since goes on",
    async (code) => {
      const { world, room, codes, live } = await stage();
      const joined = new Follower(room.subscribe({ start: "earliest" }));
      end(world, code);
      await world.until(() => joined.caughtUps === 1);
      await say(world, 4);
      await world.advance(ROUND_TRIP_MS);
      expect([live.ended, joined.ended]).toEqual([code, undefined]);
      expect(joined.data).toEqual([1, 2, 3, 4]);
      expect(codes).toEqual(["not_subscribed"]);
    },
  );

  test.each(["unavailable", "snapshot_unavailable", "internal"] as const)(
    "%s that may pass costs nobody anything",
    async (code) => {
      const { world, room, codes, live } = await stage();
      const joined = new Follower(room.subscribe({ start: "earliest" }));
      const { description, fault } = tailwireError(code);
      const passing = Object.assign(tailwireError(code), { description, fault, retry: true });
      world.link.connection?.endSubscription("room:1", passing);
      await world.until(() => joined.caughtUps === 1);
      await say(world, 4);
      await world.advance(ROUND_TRIP_MS);
      expect([live.data, joined.data]).toEqual([[4], [1, 2, 3, 4]]);
      expect(codes).toEqual(["not_subscribed"]);
    },
  );

  test("twice in a row", async () => {
    const { world, room, codes, live } = await stage();
    const joined = [new Follower(room.subscribe({ start: "earliest" }))];
    end(world, "unavailable");
    await world.until(() => joined[0]?.subscription.state === "active");
    joined.push(new Follower(room.subscribe({ start: { rewind: { count: 1 } } })));
    end(world, "unavailable");
    await world.until(() => joined[1]?.subscription.state === "active");
    await say(world, 4);
    await world.advance(ROUND_TRIP_MS);
    expect([live, ...joined].map(({ data }) => data)).toEqual([[4], [1, 2, 3, 4], [3, 4]]);
    expect(codes).toEqual(["not_subscribed", "not_subscribed"]);
  });

  test("a subscribe that nobody wants when its ack is here is taken back", async () => {
    const { world, room, live } = await stage();
    const joined = new Follower(room.subscribe({ start: "earliest" }));
    end(world, "removed");
    await joined.subscription.close();
    await world.advance(3 * ROUND_TRIP_MS);
    expect([live.ended, joined.ended]).toEqual(["removed", null]);
    expect(world.node.subscriptions).toBe(0);
    // And the channel is there for whoever comes next.
    await world.outcome(room.subscribe().ready);
  });
});

describe("[SUB-10] a subscription that the server begins", () => {
  test("while its client waits out a refusal is ended, and the client's own follows", async () => {
    const { world, ada, codes, live } = await stage();
    const begun: string[] = [];
    ada.onSubscribed(({ channel }) => begun.push(channel.name));
    end(world, "unavailable");
    world.node.subscribe("ada", "room:1");
    await say(world, 4);
    await say(world, 5);
    await world.until(() => live.publications.length === 2);
    expect([live.data, begun, codes]).toEqual([[4, 5], [], []]);
    expect(world.node.subscriptions).toBe(1);
    await live.subscription.close();
    await world.advance(ROUND_TRIP_MS);
    expect(world.node.subscriptions).toBe(0);
  });

  test("goes on, also where the client had left the channel before its subscribe was answered", async () => {
    const world = new World();
    const ada = world.client("ada");
    const begun: string[] = [];
    ada.onSubscribed(({ channel }) => begun.push(channel.name));
    const other = new Follower(ada.channel("room:2").subscribe());
    await world.until(() => other.caughtUps === 1);
    await ada.channel("room:1").subscribe().close();
    await world.advance(10 * ROUND_TRIP_MS);
    world.node.subscribe("ada", "room:1");
    await world.advance(ROUND_TRIP_MS);
    expect(begun).toEqual(["room:1"]);
    expect(world.node.subscriptions).toBe(2);
  });

  test("while its client waits, and leaves before the wait is over, isn't left behind", async () => {
    const { world, live } = await stage();
    end(world, "unavailable");
    world.node.subscribe("ada", "room:1");
    await world.advance(ROUND_TRIP_MS);
    await live.subscription.close();
    await world.advance(ROUND_TRIP_MS);
    expect(world.node.subscriptions).toBe(0);
  });
});

/** Acts of the server that nobody asked for. */
const DEEDS = {
  removes: (world: World) => world.node.unsubscribe("ada", "room:1"),
  begins: (world: World) => world.node.subscribe("ada", "room:1"),
  "fails for now": (world: World) => end(world, "unavailable"),
} as const;

const TIMES = [0, 5, 15, 25, 35, 45, 55] as const;

/** Two deeds at all times, while others join and leave on the client's side. */
async function crossing(plan: readonly (readonly [at: number, deed: keyof typeof DEEDS])[]) {
  const { world, ada, room, codes, live } = await stage();
  const followers = [live];
  ada.onSubscribed(({ subscription }) => followers.push(new Follower(subscription)));
  const { clock } = world;
  clock.after(1, () => followers.push(new Follower(room.subscribe({ start: "earliest" }))));
  clock.after(15, () => followers.push(new Follower(room.subscribe())));
  clock.after(40, () => void followers[1]?.subscription.close());
  for (const [at, deed] of plan) clock.after(at, () => DEEDS[deed](world));
  await world.advance(10_000);
  await say(world, 4);
  await world.advance(ROUND_TRIP_MS);
  const standing = followers.filter(({ ended }) => ended === undefined);
  const broken = followers.flatMap(({ violations }) => violations);
  const heard = standing.map(({ data }) => data.at(-1));
  for (const { subscription } of standing) await subscription.close();
  await world.advance(3 * ROUND_TRIP_MS);
  return {
    deaf: heard.filter((last) => last !== 4).length,
    broken,
    codes: codes.filter((code) => code !== "not_subscribed"),
    left: world.node.subscriptions,
  };
}

test.each(Object.keys(DEEDS) as (keyof typeof DEEDS)[])(
  "[SUB-5, SUB-9, SUB-10] whatever crosses when the server %s, nobody is deaf and nothing is left",
  async (first) => {
    for (const at of TIMES) {
      for (const [then, deed] of TIMES.flatMap((time) =>
        (Object.keys(DEEDS) as (keyof typeof DEEDS)[]).map((name) => [time, name] as const),
      )) {
        const plan = [[at, first] as const, [then, deed] as const];
        expect({ plan, ...(await crossing(plan)) }).toEqual({
          plan,
          deaf: 0,
          broken: [],
          codes: [],
          left: 0,
        });
      }
    }
  },
);
