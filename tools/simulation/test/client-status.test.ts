// The client's connection: its states, its waits, and what it shows of both.
import { expect, test } from "vitest";
import {
  backoffMs,
  CONNECTION_STATES,
  type ConnectionEvent,
  type ConnectionState,
} from "@tailwire/client/core";
import { BAD_TOKEN, Device, Dice, World } from "@tailwire/simulation";

test("[CLOSE-4] waits double from 1 s to 30 s, and a dice takes anything off them", () => {
  const longest = { fraction: () => 0.999_999_9, token: () => "" };
  expect([1, 2, 3, 4, 5, 6, 7, 100, 5_000].map((failures) => backoffMs(failures, longest))).toEqual(
    [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000],
  );
  const dice = new Dice(5);
  const waits = Array.from({ length: 1_000 }, () => backoffMs(6, dice));
  expect(Math.min(...waits)).toBeLessThan(300);
  expect(Math.max(...waits)).toBeGreaterThan(29_700);
});

test("an unreachable server is tried with growing waits, shown as reconnecting with retryAt", async () => {
  const world = new World({ seed: 2 });
  world.unreachable = true;
  const bob = world.client("bob");
  const shown: string[] = [];
  const overlong: unknown[] = [];
  bob.onStatus((status) => {
    shown.push(status.state);
    const waitMs = (status.retryAt ?? 0) - world.clock.now();
    if (waitMs > 1_000 * 2 ** (status.attempt - 1)) overlong.push(status);
  });
  bob.channel("room:1").subscribe();
  await world.advance(8_000);
  expect(shown[0]).toBe("connecting");
  expect(overlong).toEqual([]);
  expect(bob.status.state).toBe("reconnecting");
  expect(bob.status.attempt).toBeGreaterThan(2);
  await world.advance(10 * 60_000);
  // At most 30 s each, 15 s on average.
  expect(world.links.length).toBeGreaterThan(20);
  expect(world.links.length).toBeLessThan(100);
  world.unreachable = false;
  await world.until(() => bob.status.state === "connected", 31_000);
  expect(bob.status).toEqual({
    state: "connected",
    attempt: 0,
    retryAt: null,
    reason: null,
    pending: 0,
  });
});

test("[CLOSE-4] the waits begin anew only after a connection has been up for ten seconds", async () => {
  const world = new World({ seed: 4 });
  const bob = world.client("bob");
  bob.channel("room:1").subscribe();
  // Each connection lives for a second only: the waits go on growing.
  let connects = 0;
  bob.onStatus(({ state }) => {
    if (state !== "connected") return;
    connects += 1;
    world.clock.after(1_000, () => world.link.cut());
  });
  await world.advance(10 * 60_000);
  expect(connects).toBeLessThan(100);
  expect(connects).toBeGreaterThan(15);
});

test("[CLOSE-4] a connection that was long up and fell silent counts as stable too", async () => {
  const world = new World({ seed: 6 });
  const bob = world.client("bob");
  bob.channel("room:1").subscribe();
  const waits: number[] = [];
  bob.onStatus(({ retryAt }) => {
    if (retryAt !== null) waits.push(retryAt - world.clock.now());
  });
  for (let turn = 0; turn < 6; turn += 1) {
    await world.until(() => bob.status.state === "connected");
    await world.advance(200_000);
    world.link.silence("toClient");
    await world.until(() => bob.status.state === "reconnecting");
  }
  expect(Math.max(...waits)).toBeLessThanOrEqual(1_000);
});

test("retryNow connects at once, goOffline stays away, goOnline comes back, close is for good", async () => {
  const world = new World();
  const bob = world.client("bob");
  bob.channel("room:1").subscribe();
  await world.until(() => bob.status.state === "connected");
  world.unreachable = true;
  world.link.cut();
  await world.advance(20_000);
  world.unreachable = false;
  bob.retryNow();
  await world.until(() => bob.status.state === "connected", 100);
  bob.goOffline();
  await world.advance(100);
  expect(bob.status.state).toBe("offline");
  expect(world.node.connections).toBe(0);
  const published = bob.channel("room:1").publish("message", 1);
  await world.advance(3_600_000);
  expect(bob.status).toMatchObject({ state: "offline", pending: 1 });
  bob.goOnline();
  await world.outcome(published, 100);
  await world.outcome(bob.close(), 100);
  await world.advance(3_600_000);
  expect(bob.status).toMatchObject({ state: "closed", pending: 0 });
  expect(world.node.connections).toBe(0);
});

test("a closed client leaves no timer behind", async () => {
  const world = new World();
  const bob = world.client("bob");
  const subscription = bob.channel("room:1").subscribe();
  await world.outcome(subscription.ready);
  await world.outcome(bob.channel("room:1").publish("message", 1));
  await world.outcome(bob.close());
  await world.outcome(world.node.close());
  await world.advance(3_600_000);
  expect(world.clock.pending).toBe(0);
});

test("a token that never comes, and a welcome that never comes, are given up after 15 s", async () => {
  const world = new World();
  const stuck = world.client("stuck", { getToken: () => new Promise<string>(() => undefined) });
  stuck.channel("room:1").subscribe();
  await world.advance(14_000);
  expect(stuck.status).toMatchObject({ state: "connecting", attempt: 1 });
  await world.until(() => stuck.status.reason === "connect_timeout", 2_000);
  const mute = world.client("mute");
  mute.channel("room:1").subscribe();
  world.tap = (direction) => {
    if (direction === "toServer") world.link.silence("toClient");
    return "arrives";
  };
  await world.until(() => mute.status.reason === "connect_timeout", 16_000);
});

/** Leads a client into a state, by what really leads there. */
const INTO: Readonly<
  Record<ConnectionState, (world: World) => Promise<ReturnType<World["client"]>>>
> = {
  idle: async (world) => world.client("bob"),
  connecting: async (world) => {
    const bob = world.client("bob");
    bob.channel("room:1").subscribe();
    return bob;
  },
  connected: async (world) => {
    const bob = world.client("bob");
    bob.channel("room:1").subscribe();
    await world.until(() => bob.status.state === "connected");
    return bob;
  },
  reconnecting: async (world) => {
    const bob = await INTO.connected(world);
    world.unreachable = true;
    world.link.cut();
    await world.advance(5);
    return bob;
  },
  offline: async (world) => {
    const bob = await INTO.connected(world);
    bob.goOffline();
    await world.advance(5);
    return bob;
  },
  closed: async (world) => {
    const bob = await INTO.connected(world);
    await world.outcome(bob.close());
    return bob;
  },
};

/** Makes an event happen, whatever the state. */
const MAKE: Readonly<
  Record<ConnectionEvent, (world: World, bob: ReturnType<World["client"]>) => unknown>
> = {
  use: (_world, bob) =>
    void bob
      .channel("room:2")
      .publish("message", 1)
      .catch(() => undefined),
  welcome: (world) => {
    world.unreachable = false;
    return world.advance(2_000);
  },
  lost: (world) => {
    for (const link of world.links) link.cut();
  },
  refused: async (world, bob) => {
    world.unreachable = false;
    bob.retryNow();
    await world.advance(0);
    for (const link of world.links) link.refuse(4502, "protocol_violation");
  },
  goOffline: (_world, bob) => bob.goOffline(),
  goOnline: (_world, bob) => bob.goOnline(),
  close: (_world, bob) => void bob.close(),
};

for (const state of Object.keys(CONNECTION_STATES) as ConnectionState[]) {
  for (const event of Object.keys(MAKE) as ConnectionEvent[]) {
    const expected = CONNECTION_STATES[state][event] ?? state;
    // Without another event a socket that is being made is welcomed, which is a cell of its own.
    test(`${state}, ${event}: ${expected}`, async () => {
      const world = new World({ delayMs: 1 });
      const bob = await INTO[state](world);
      await world.advance(0);
      expect(bob.status.state).toBe(state);
      await MAKE[event](world, bob);
      await world.advance(0);
      expect(bob.status.state).toBe(expected);
    });
  }
}

test.each(Object.keys(CONNECTION_STATES) as ConnectionState[])(
  "%s, and retryNow, goOnline, and either twice: only a wait ends",
  async (state) => {
    const world = new World({ delayMs: 1 });
    const bob = await INTO[state](world);
    const { length } = world.links;
    bob.retryNow();
    bob.retryNow();
    expect(bob.status.state).toBe(state);
    // `retryNow` twice ends a wait with one attempt. In every other state it does nothing.
    await world.advance(0);
    expect(world.links.length - length).toBe(state === "reconnecting" ? 1 : 0);
    bob.goOffline();
    bob.goOffline();
    bob.goOnline();
    bob.goOnline();
    const again = state === "closed" ? "closed" : "reconnecting";
    expect(bob.status.state).toBe(again);
    await world.advance(0);
    bob.goOnline();
    await world.advance(0);
    expect(bob.status.state).toBe(again);
    expect(world.links.filter(({ isOver }) => !isOver).length).toBeLessThanOrEqual(2);
  },
);

test("retryNow tries although the platform says that there is no network, a wake doesn't", async () => {
  const world = new World();
  const device = new Device(world.clock);
  device.hasNetwork = false;
  const bob = world.client("bob", {}, device);
  bob.channel("room:1").subscribe();
  device.tell("wake");
  await world.advance(60_000);
  expect(bob.status.state).toBe("offline");
  bob.retryNow();
  expect(bob.status).toMatchObject({ state: "reconnecting", attempt: 1 });
  await world.until(() => bob.status.state === "connected", 100);
  // It hears of the next one.
  device.tell("offline");
  expect(bob.status.state).toBe("offline");
});

test("retryNow changes nothing where the application itself, or the page, keeps it offline", async () => {
  const world = new World();
  const device = new Device(world.clock);
  const bob = world.client("bob", {}, device);
  bob.goOffline();
  device.tell("offline");
  bob.retryNow();
  expect(bob.status.state).toBe("offline");
  bob.goOnline();
  expect(bob.status.state).toBe("reconnecting");
  device.tell("pagehide");
  bob.retryNow();
  expect(bob.status.state).toBe("offline");
});

test("a token that comes after its attempt is over isn't used for a later one", async () => {
  const world = new World();
  const late: ((token: string) => void)[] = [];
  const bob = world.client("bob", {
    getToken: () =>
      late.length === 0 ? new Promise<string>((resolve) => late.push(resolve)) : "bob",
  });
  bob.channel("room:1").subscribe();
  await world.until(() => bob.status.state === "connected");
  world.link.cut();
  world.unreachable = true;
  await world.advance(5);
  world.unreachable = false;
  const links = world.links.length;
  bob.retryNow();
  late[0]?.("mallory");
  await world.until(() => bob.status.state === "connected");
  expect(world.links.length - links).toBe(1);
  expect(world.link.connection?.access.user.id).toBe("bob");
});

test("a client whose token is refused twice in a row is closed, and says why", async () => {
  const world = new World();
  const bob = world.client("bob", { getToken: () => BAD_TOKEN });
  bob.channel("room:1").subscribe();
  await world.advance(10_000);
  expect(bob.status).toMatchObject({ state: "closed", reason: "unauthenticated" });
});

test("a platform that refuses to connect at all is shown as connect_failed, and tried again", async () => {
  const world = new World();
  world.cannotConnect = new SyntaxError("The URL's scheme must be either 'ws' or 'wss'.");
  const bob = world.client("bob");
  bob.channel("room:1").subscribe();
  await world.advance(60_000);
  expect(bob.status).toMatchObject({ state: "reconnecting", reason: "connect_failed" });
  expect(bob.status.attempt).toBeGreaterThan(3);
});
