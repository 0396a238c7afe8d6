// Refusals that may pass are waited out: as the server says, never in a loop, and no longer than needed.
import { describe, expect, test } from "vitest";
import { TailwireError } from "@tailwire/protocol";
import { Follower, World } from "@tailwire/simulation";

const MINUTE_MS = 60_000;
const MONTH_MS = 30 * 24 * 60 * MINUTE_MS;

function refusal(retryAfterMs?: number): TailwireError {
  const words = { code: "busy", description: "Later.", fault: "server", retry: true } as const;
  return new TailwireError({ ...words, retryAfterMs });
}

/** A world that refuses what it is asked for, for as long as it is told to. */
function refusing(action: "subscribe" | "publish") {
  const plan: { error: TailwireError | null } = { error: refusal() };
  const world = new World({
    application: {
      authorize: (question) => {
        if (question.action === action && plan.error !== null) throw plan.error;
        return true;
      },
    },
  });
  const asked = { count: 0 };
  world.tap = (direction, text) => {
    if (direction === "toServer") asked.count += text.split(`"type":"${action}"`).length - 1;
    return "arrives";
  };
  return { world, plan, asked, client: world.client("ada") };
}

/** Asks for what will be refused. */
const ASK = {
  subscribe: ({ client }: ReturnType<typeof refusing>) =>
    new Follower(client.channel("room:1").subscribe()),
  publish: ({ client }: ReturnType<typeof refusing>) => {
    client
      .channel("room:1")
      .publish("message", 1)
      .catch(() => undefined);
  },
} as const;

describe.each(["subscribe", "publish"] as const)("a %s that is refused for now", (action) => {
  test.each([0, 1, undefined])("is tried patiently, where the server says %s", async (ms) => {
    const stage = refusing(action);
    stage.plan.error = refusal(ms);
    ASK[action](stage);
    await stage.world.advance(10 * MINUTE_MS);
    expect(stage.asked.count).toBeGreaterThan(15);
    expect(stage.asked.count).toBeLessThan(160);
    // And soon after it isn't refused any more, it is done.
    stage.plan.error = null;
    await stage.world.advance(31_000);
    const { count } = stage.asked;
    await stage.world.advance(MINUTE_MS);
    expect(stage.asked.count).toBe(count);
    expect(stage.client.status.pending).toBe(0);
  });

  test("is tried when the server says, be that in 30 days", async () => {
    const stage = refusing(action);
    stage.plan.error = refusal(MONTH_MS);
    ASK[action](stage);
    await stage.world.advance(1_000);
    const link = stage.world.link.connection;
    await stage.world.advance(60 * MINUTE_MS);
    expect([stage.asked.count, stage.world.link.connection]).toEqual([1, link]);
  });

  test.each(["close", "go offline", "lose the connection"] as const)(
    "leaves no timer behind when its client does: %s",
    async (end) => {
      const stage = refusing(action);
      const { world, client, plan } = stage;
      plan.error = refusal(MONTH_MS);
      ASK[action](stage);
      await world.advance(1_000);
      if (end === "lose the connection") {
        world.unreachable = true;
        world.link.cut();
      } else client.goOffline();
      if (end === "close") await world.outcome(client.close());
      await world.advance(10 * MINUTE_MS);
      // One for the next attempt, where there is to be one.
      expect(world.clock.pending).toBe(end === "lose the connection" ? 1 : 0);
    },
  );

  test("is tried at once on another connection, and waits there as long as that one says", async () => {
    const stage = refusing(action);
    const { world, plan, asked } = stage;
    plan.error = refusal(20_000);
    ASK[action](stage);
    await world.advance(1_000);
    plan.error = refusal(60_000);
    world.link.cut();
    await world.advance(3_000);
    expect(asked.count).toBe(2);
    // The wait of the connection before would be over.
    await world.advance(40_000);
    expect(asked.count).toBe(2);
  });
});

test("who leaves while a refusal is waited out leaves nothing behind", async () => {
  const stage = refusing("subscribe");
  const { world, client } = stage;
  stage.plan.error = refusal(MONTH_MS);
  const follower = ASK.subscribe(stage);
  await world.advance(1_000);
  await follower.subscription.close();
  client.goOffline();
  await world.advance(10 * MINUTE_MS);
  expect(world.clock.pending).toBe(0);
});

test("who joins while a refusal is waited out doesn't make it shorter", async () => {
  const stage = refusing("subscribe");
  const { world, plan, asked } = stage;
  plan.error = refusal(20_000);
  const followers = [ASK.subscribe(stage)];
  for (let second = 0; second < 10; second += 1) {
    await world.advance(1_000);
    followers.push(ASK.subscribe(stage));
  }
  expect(asked.count).toBe(1);
  plan.error = null;
  await world.until(() => followers.every(({ subscription }) => subscription.state === "active"));
});

test("a subscription that the server ends for now as soon as it has begun makes no storm", async () => {
  const stage = refusing("subscribe");
  const { world, plan, asked } = stage;
  plan.error = null;
  const follower = ASK.subscribe(stage);
  await world.advance(1_000);
  for (let second = 0; second < 600; second += 1) {
    world.link.connection?.endSubscription("room:1", refusal(0));
    await world.advance(1_000);
  }
  expect(asked.count).toBeGreaterThan(15);
  expect(asked.count).toBeLessThan(60);
  await world.advance(31_000);
  await world.outcome(world.node.publish("room:1", "message", "at last"));
  await world.advance(100);
  expect([follower.ended, follower.data]).toEqual([undefined, ["at last"]]);
});
