// The client's life on its device: networks that go and come back, pages that are left, sleep.
import { expect, test } from "vitest";
import type { Client } from "@tailwire/client/core";
import { Device, Follower, World } from "@tailwire/simulation";

const HOURS_8 = 8 * 3_600_000;

interface Stage {
  readonly world: World;
  readonly device: Device;
  readonly bob: Client;
  readonly ada: Client;
  /** Bob's subscription. */
  readonly follower: Follower;
}

/** Bob follows a room on a device that things happen to; Ada is there to be heard. */
async function stage(): Promise<Stage> {
  const retention = { count: 1_000, maxAgeMs: 24 * 3_600_000 };
  const world = new World({ channels: { "room:{id}": { retention } } });
  const device = new Device(world.clock);
  const ada = world.client("ada");
  await world.outcome(ada.channel("room:1").publish("message", "first"));
  const bob = world.client("bob", {}, device);
  const follower = new Follower(bob.channel("room:1").subscribe({ start: "earliest" }));
  await world.until(() => follower.caughtUps === 1);
  return { world, device, bob, ada, follower };
}

/** Everything that the client sends from now on, by type. */
function sent(world: World): string[] {
  const types: string[] = [];
  world.tap = (direction, text) => {
    if (direction === "toServer") {
      for (const line of text.trim().split("\n")) {
        types.push((JSON.parse(line) as { type: string }).type);
      }
    }
    return "arrives";
  };
  return types;
}

/** The link is dead, and nobody at this end has heard of it. */
function kill(world: World): void {
  world.link.silence("toClient");
  world.link.silence("toServer");
}

test("without a network the client is offline, keeps publications, and flushes them in order", async () => {
  const { world, device, bob, follower } = await stage();
  device.tell("offline");
  expect(bob.status).toMatchObject({ state: "offline", retryAt: null });
  const published = [1, 2, 3].map((number) => bob.channel("room:1").publish("message", number));
  await world.advance(600_000);
  expect(bob.status).toMatchObject({ state: "offline", pending: 3 });
  device.tell("online");
  const results = await world.outcome(Promise.all(published), 200);
  expect(results.map(({ position }) => position.offset)).toEqual([2, 3, 4]);
  await world.until(() => follower.publications.length === 4, 200);
  expect(follower.data).toEqual(["first", 1, 2, 3]);
});

test("a client that is first used without a network waits for it, and then connects at once", async () => {
  const world = new World();
  const device = new Device(world.clock);
  device.hasNetwork = false;
  const bob = world.client("bob", {}, device);
  expect(bob.status.state).toBe("idle");
  const published = bob.channel("room:1").publish("message", 1);
  await world.advance(60_000);
  expect(bob.status).toMatchObject({ state: "offline", pending: 1 });
  expect(world.links).toHaveLength(0);
  device.tell("online");
  await world.outcome(published, 100);
});

test("word of a network while the connection is up does nothing", async () => {
  const { world, device, bob } = await stage();
  const links = world.links.length;
  const types = sent(world);
  device.tell("online");
  await world.advance(1_000);
  expect(world.links).toHaveLength(links);
  expect(types).toEqual([]);
  expect(bob.status.state).toBe("connected");
});

test.each([
  ["a network that is back", ["offline", "online"]],
  ["a wake", ["wake"]],
] as const)("%s ends a wait before the next attempt", async (_, events) => {
  const { world, device, bob } = await stage();
  world.unreachable = true;
  world.link.cut();
  await world.advance(300_000);
  await world.until(() => (bob.status.retryAt ?? 0) > world.clock.now() + 1_000);
  world.unreachable = false;
  for (const event of events) device.tell(event);
  await world.until(() => bob.status.state === "connected", 100);
  expect(bob.status).toMatchObject({ state: "connected", attempt: 0 });
});

test("goOffline outlives the platform's online, and its offline outlives goOnline", async () => {
  const { world, device, bob } = await stage();
  bob.goOffline();
  device.tell("offline");
  device.tell("online");
  await world.advance(60_000);
  expect(bob.status.state).toBe("offline");
  device.tell("offline");
  bob.goOnline();
  await world.advance(60_000);
  expect(bob.status.state).toBe("offline");
  device.tell("online");
  await world.until(() => bob.status.state === "connected", 100);
});

test("a page that is left closes its socket, and nothing is missed when it is back", async () => {
  const { world, device, bob, ada, follower } = await stage();
  device.tell("pagehide");
  await world.advance(50);
  expect(world.link.isUp).toBe(false);
  const own = bob.channel("room:1").publish("message", "mine");
  for (const number of [1, 2, 3]) {
    await world.outcome(ada.channel("room:1").publish("message", number));
  }
  await world.advance(600_000);
  device.tell("pageshow");
  await world.outcome(own, 200);
  await world.until(() => follower.publications.length === 5, 200);
  expect(follower.data).toEqual(["first", 1, 2, 3, "mine"]);
  expect([...follower.gaps, ...follower.violations]).toEqual([]);
});

test("what was published in the moment before a page is left goes out with the close", async () => {
  const { world, device, bob, follower } = await stage();
  void bob
    .channel("room:1")
    .publish("message", "last words")
    .catch(() => undefined);
  device.tell("pagehide");
  const reader = new Follower(
    world.client("eve").channel("room:1").subscribe({ start: "earliest" }),
  );
  await world.until(() => reader.data.includes("last words"), 200);
  expect(follower.data).toEqual(["first"]);
});

test("the pageshow of a page that has just loaded does nothing", async () => {
  const { world, device, bob } = await stage();
  const links = world.links.length;
  device.tell("pageshow");
  await world.advance(1_000);
  expect(world.links).toHaveLength(links);
  expect(bob.status.state).toBe("connected");
});

test("[LIVE-3] a wake asks a live socket once, and keeps it", async () => {
  const { world, device, bob } = await stage();
  const links = world.links.length;
  const types = sent(world);
  for (let turn = 0; turn < 20; turn += 1) device.tell("wake");
  await world.advance(1_000);
  expect(types).toEqual(["ping"]);
  expect(world.links).toHaveLength(links);
  expect(bob.status.state).toBe("connected");
});

test("[LIVE-3] a wake finds a dead socket within one timeout", async () => {
  const { world, device, bob, ada, follower } = await stage();
  kill(world);
  await world.outcome(ada.channel("room:1").publish("message", "missed?"));
  device.tell("wake");
  await world.advance(world.limits.pongTimeoutMs - 1);
  expect(bob.status.state).toBe("connected");
  await world.until(() => follower.publications.length === 2, 1_100);
  expect(follower.gaps).toEqual([]);
});

test("[LIVE-3] after 8 hours of sleep that nobody tells of, it asks and reconnects within one timeout", async () => {
  const { world, device, bob, ada, follower } = await stage();
  kill(world);
  device.sleep();
  await world.outcome(ada.channel("room:1").publish("message", "overnight"));
  await world.advance(HOURS_8);
  device.wake();
  expect(bob.status.state).toBe("connected");
  await world.until(() => follower.publications.length === 2, world.limits.pongTimeoutMs + 1_100);
  expect(follower.data).toEqual(["first", "overnight"]);
});

test("[LIVE-3] a socket that outlived the sleep is asked and kept", async () => {
  const { world, device, bob } = await stage();
  const links = world.links.length;
  const types = sent(world);
  device.sleep();
  await world.advance(40_000);
  device.wake();
  await world.advance(60_000);
  expect(types).toContain("ping");
  expect(world.links).toHaveLength(links);
  expect(bob.status.state).toBe("connected");
});

test("[LIVE-3] sleep is noticed where the monotonic clock slept too: by the wall clock", async () => {
  const { world, bob, ada } = await stage();
  kill(world);
  const lostAt: number[] = [];
  bob.onStatus(({ state }) => {
    if (state === "reconnecting") lostAt.push(world.clock.monotonic());
  });
  // No timer is late: all of them stood still, and only the wall clock shows it.
  world.clock.jump(HOURS_8);
  const wokeAt = world.clock.monotonic();
  await world.until(() => lostAt.length > 0);
  // One look at the clocks, and one question.
  expect((lostAt[0] ?? 0) - wokeAt).toBeLessThanOrEqual(2 * world.limits.pongTimeoutMs);
  expect(ada.status.state).toBe("connected");
});

test("[LIVE-3] an overdue timer doesn't beat an answer that has arrived and isn't read yet", async () => {
  const { world, device, bob } = await stage();
  const links = world.links.length;
  await world.advance(100);
  device.tell("wake");
  device.sleep();
  world.link.hold("toClient", 20_050);
  await world.advance(20_000);
  device.wake();
  await world.advance(1_000);
  expect(bob.status.state).toBe("connected");
  expect(world.links).toHaveLength(links);
});

test("a page that waits for hours makes no more attempts than the backoff says", async () => {
  const { world, device } = await stage();
  world.unreachable = true;
  world.link.cut();
  const before = world.links.length;
  // A hidden page's timers fire once a minute.
  for (let minute = 0; minute < 240; minute += 1) {
    device.sleep();
    await world.advance(60_000);
    device.wake();
  }
  const attempts = world.links.length - before;
  expect(attempts).toBeGreaterThan(60);
  expect(attempts).toBeLessThanOrEqual(240);
  // One wait or one deadline at a time, and whatever the server keeps.
  device.tell("offline");
  await world.advance(60_000);
  expect(world.links.length - before).toBeLessThanOrEqual(attempts + 1);
});

test("a closed client listens to its platform no longer", async () => {
  const { world, device, bob } = await stage();
  expect(device.listeners.size).toBe(1);
  await world.outcome(bob.close());
  expect(device.listeners.size).toBe(0);
});
