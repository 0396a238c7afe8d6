// Publications that can't be delivered are told as a gap, counted where possible, never skipped silently.
import { describe, expect, test } from "vitest";
import { Follower, World } from "@tailwire/simulation";

async function publish(world: World, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    await world.node.publish("room:1", "message", number);
  }
}

test("[DEL-4] a subscriber that was away for longer than the log is kept gets one counted gap", async () => {
  const world = new World({ channels: { "room:{id}": { retention: { count: 10 } } } });
  const bob = world.client("bob");
  const follower = new Follower(bob.channel("room:1").subscribe());
  await world.outcome(follower.subscription.ready);
  await publish(world, 1, 5);
  await world.until(() => follower.publications.length === 5);
  bob.goOffline();
  await publish(world, 6, 50);
  bob.goOnline();
  await world.until(() => follower.publications.length === 15);
  expect(follower.violations).toEqual([]);
  expect(follower.gaps).toMatchObject([
    {
      reason: "trimmed",
      lost: 35,
      from: { offset: 5 },
      to: { offset: 40 },
      continuesAfter: { offset: 40 },
    },
  ]);
  expect(follower.data.slice(5)).toEqual([41, 42, 43, 44, 45, 46, 47, 48, 49, 50]);
  expect(follower.caughtUps).toBe(2);
});

test("[DEL-5] a subscriber exactly at the trim edge resumes without a gap", async () => {
  const world = new World({ channels: { "room:{id}": { retention: { count: 10 } } } });
  const bob = world.client("bob");
  const follower = new Follower(bob.channel("room:1").subscribe());
  await world.outcome(follower.subscription.ready);
  await publish(world, 1, 5);
  await world.until(() => follower.publications.length === 5);
  bob.goOffline();
  await publish(world, 6, 15);
  bob.goOnline();
  await world.until(() => follower.publications.length === 15);
  expect(follower.gaps).toEqual([]);
  expect(follower.violations).toEqual([]);
});

test("[DEL-4] a node that starts anew has another epoch, and says so", async () => {
  const world = new World({ delayMs: 5 });
  const bob = world.client("bob");
  const follower = new Follower(bob.channel("room:1").subscribe());
  await world.outcome(follower.subscription.ready);
  await publish(world, 1, 5);
  await world.until(() => follower.publications.length === 5);
  world.crash();
  await publish(world, 101, 103);
  await world.until(() => follower.publications.length === 8);
  expect(follower.gaps).toMatchObject([
    { reason: "epoch", lost: null, continuesAfter: { offset: 0 } },
  ]);
  expect(follower.data).toEqual([1, 2, 3, 4, 5, 101, 102, 103]);
  expect(follower.violations).toEqual([]);
});

test("[DEL-4, DEL-6] positions that were never given out end in a gap, never in silence", async () => {
  const world = new World();
  await publish(world, 1, 5);
  const { epoch } = await world.node.publish("room:1", "message", 6);
  const bob = world.client("bob");
  const start = (position: { epoch: string; offset: number; id: string | null }): Follower =>
    new Follower(bob.channel("room:1").subscribe({ start: position }));
  const ahead = start({ epoch, offset: 1_000, id: null });
  await world.until(() => ahead.gaps.length === 1);
  expect(ahead.gaps[0]).toMatchObject({ reason: "ahead", continuesAfter: { offset: 6 } });
  await ahead.subscription.close();
  const foreign = start({ epoch, offset: 3, id: "somebody/else" });
  await world.until(() => foreign.gaps.length === 1);
  expect(foreign.gaps[0]).toMatchObject({ reason: "diverged" });
  await foreign.subscription.close();
  const unknown = start({ epoch: "no-such-epoch", offset: 3, id: null });
  await world.until(() => unknown.publications.length === 6);
  expect(unknown.gaps[0]).toMatchObject({ reason: "epoch", continuesAfter: { offset: 0 } });
});

test("[SUB-2] a start is latest, earliest, a count back, an age back, or a position", async () => {
  const world = new World();
  await publish(world, 1, 5);
  await world.advance(60_000);
  await publish(world, 6, 10);
  const follow = async (
    start: Parameters<ReturnType<World["client"]>["channel"]>[0] | object,
  ): Promise<readonly unknown[]> => {
    const client = world.client("bob");
    const follower = new Follower(client.channel("room:1").subscribe({ start: start as "latest" }));
    await world.until(() => follower.caughtUps === 1);
    expect(follower.violations).toEqual([]);
    await client.close();
    return follower.data;
  };
  expect(await follow("latest")).toEqual([]);
  expect(await follow("earliest")).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(await follow({ rewind: { count: 3 } })).toEqual([8, 9, 10]);
  expect(await follow({ rewind: { count: 0 } })).toEqual([]);
  expect(await follow({ rewind: { count: 1_000 } })).toHaveLength(10);
  expect(await follow({ rewind: { ageMs: 30_000 } })).toEqual([6, 7, 8, 9, 10]);
});

describe("[DEL-4] a position beyond the log's end is told so", () => {
  /** A client that follows the end of a log of four, and from a place far behind that. */
  async function followBoth(
    order: "end first" | "ahead first" | "later",
  ): Promise<readonly Follower[]> {
    const world = new World();
    await publish(world, 1, 3);
    const last = await world.node.publish("room:1", "message", 4);
    const client = world.client("bob");
    const start = { ...last, offset: last.offset + 1_000, id: null };
    const begin = {
      end: () => new Follower(client.channel("room:1").subscribe()),
      ahead: () => new Follower(client.channel("room:1").subscribe({ start })),
    };
    const names =
      order === "ahead first" ? (["ahead", "end"] as const) : (["end", "ahead"] as const);
    const followers = new Map<string, Follower>();
    for (const name of names) {
      followers.set(name, begin[name]());
      if (order === "later") await world.advance(1_000);
    }
    await world.advance(1_000);
    await publish(world, 5, 5);
    await world.advance(1_000);
    world.link.cut();
    await world.advance(40_000);
    await publish(world, 6, 6);
    await world.advance(1_000);
    return [followers.get("end"), followers.get("ahead")].filter((one) => one !== undefined);
  }

  for (const order of ["end first", "ahead first", "later"] as const) {
    test(`beside another subscription of its client, ${order}`, async () => {
      const [end, ahead] = await followBoth(order);
      expect(ahead?.gaps.map(({ reason }) => reason)).toEqual(["ahead"]);
      expect(ahead?.data).toEqual([5, 6]);
      expect(end?.gaps).toEqual([]);
      expect(end?.data).toEqual([5, 6]);
      expect([...(end?.violations ?? []), ...(ahead?.violations ?? [])]).toEqual([]);
      expect(end?.subscription.caughtUp && ahead?.subscription.caughtUp).toBe(true);
    });
  }
});
