// A subscriber that doesn't read costs a cursor, not a queue, and afterwards has everything or a gap.
import { expect, test } from "vitest";
import { Follower, World } from "@tailwire/simulation";

const RATE = 10_000;

/** 10,000 publications a second, a burst each tenth of a second. Gives how many there were. */
async function load(world: World, seconds: number): Promise<number> {
  let number = 0;
  for (let burst = 0; burst < seconds * 10; burst += 1) {
    const appended: Promise<unknown>[] = [];
    for (let index = 0; index < RATE / 10; index += 1) {
      number += 1;
      appended.push(world.node.publish("room:1", "message", number));
    }
    await Promise.all(appended);
    await world.advance(100);
  }
  return number;
}

for (const { retention, seconds, gaps, told } of [
  {
    retention: { count: 1_000_000, bytes: 1e9, maxAgeMs: 3_600_000 },
    seconds: 20,
    gaps: 0,
    told: "everything",
  },
  { retention: { count: 5_000 }, seconds: 60, gaps: 1, told: "one counted gap" },
]) {
  test(`[FLOW-1, FLOW-2] ${seconds} s without reading, beside 10,000 a second: ${told}`, async () => {
    // The simulated kernel takes 64 KiB; stallMs is out of the way, for it has a test of its own.
    const world = new World({
      channels: { "room:{id}": { retention } },
      limits: { stallMs: 3_600_000, missedPongsMax: 1_000 },
    });
    const fast = new Follower(world.client("fast").channel("room:1").subscribe());
    await world.outcome(fast.subscription.ready);
    const slow = new Follower(world.client("slow").channel("room:1").subscribe());
    await world.outcome(slow.subscription.ready);
    const slowLink = world.link;
    slowLink.stopReading();
    const before = slowLink.writtenBytes;
    const count = await load(world, seconds);
    await world.until(() => fast.publications.length === count);
    expect(fast.violations).toEqual([]);
    expect(fast.gaps).toEqual([]);
    // The server has written no more to it than the kernel holds, and one flush.
    expect(slowLink.writtenBytes - before).toBeLessThanOrEqual(
      65_536 + 2 * world.limits.flushBytesMax,
    );
    expect(slowLink.connection?.heldBytes).toBeLessThanOrEqual(1_024);
    slowLink.startReading();
    await world.until(() => slow.publications.at(-1)?.data === count, 600_000);
    expect(slow.violations).toEqual([]);
    expect(slow.gaps).toHaveLength(gaps);
    const lost = slow.gaps.reduce((sum, gap) => sum + (gap.lost ?? 0), 0);
    expect(slow.publications.length + lost).toBe(count);
    // Hundreds of thousands of deliveries: a busy machine may take its time.
  }, 120_000);
}

test("[FLOW-2] a write that doesn't complete in time closes with slow_consumer, and the client resumes", async () => {
  const world = new World();
  const slow = new Follower(world.client("slow").channel("room:1").subscribe());
  await world.outcome(slow.subscription.ready);
  world.link.stopReading();
  const appended: Promise<unknown>[] = [];
  for (let number = 1; number <= 5_000; number += 1) {
    appended.push(world.node.publish("room:1", "message", number));
  }
  await Promise.all(appended);
  await world.until(() => slow.publications.length === 5_000);
  expect(world.links.length).toBeGreaterThan(1);
  expect(slow.violations).toEqual([]);
  expect(slow.gaps).toEqual([]);
});

test("[FLOW-1] a slow subscriber doesn't delay the others", async () => {
  const world = new World({ limits: { stallMs: 3_600_000, missedPongsMax: 1_000 } });
  const slow = new Follower(world.client("slow").channel("room:1").subscribe());
  await world.outcome(slow.subscription.ready);
  world.link.stopReading();
  const fast = new Follower(world.client("fast").channel("room:1").subscribe());
  await world.outcome(fast.subscription.ready);
  for (let number = 1; number <= 100; number += 1) {
    await world.node.publish("room:1", "message", "x".repeat(2_000));
    const sent = world.clock.monotonic();
    await world.until(() => fast.publications.length === number);
    // One way of the link, and nothing more.
    expect(world.clock.monotonic() - sent).toBeLessThanOrEqual(10);
  }
});
