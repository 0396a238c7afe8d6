// Timers, token requests and sockets end with the attempt or the connection that they belong to.
import { expect, test } from "vitest";
import type { Client, ClientOptions } from "@tailwire/client/core";
import { tailwireError } from "@tailwire/protocol";
import { BAD_TOKEN, Device, type Host, World } from "@tailwire/simulation";

const DAY_MS = 86_400_000;

interface Stage {
  readonly world: World;
  readonly device: Device;
  readonly bob: Client;
  /** The signals that `getToken` was given. */
  readonly signals: AbortSignal[];
}

type GetToken = NonNullable<ClientOptions["getToken"]>;

const never: GetToken = () => new Promise(() => undefined);

/** Bob on a device of his own; his tokens come from `getToken`, the server refuses "later" for now. */
function stage(getToken: GetToken = () => "bob"): Stage {
  const world: World = new World({
    application: {
      authorize: ({ channel }) => {
        if (channel !== "room:later") return true;
        throw Object.assign(tailwireError("rate_limited"), { retryAfterMs: 30 * DAY_MS });
      },
      requests: new Map([["think", () => new Promise(() => undefined)]]),
    },
    authenticate: (token) => ({ user: { id: token }, expiresAt: world.clock.now() + 600_000 }),
  });
  const device = new Device(world.clock);
  const signals: AbortSignal[] = [];
  const watched: GetToken = ({ signal }) => {
    signals.push(signal);
    return getToken({ signal });
  };
  const bob = world.client("bob", { getToken: watched }, device);
  return { world, device, bob, signals };
}

/** Somebody waits for each thing that there is to wait for, and is told of the end or not. */
function useAll(bob: Client): void {
  const ignore = (): void => undefined;
  bob.channel("room:1").subscribe();
  bob.channel("room:later").subscribe();
  bob.channel("room:later").publish("message", 1).catch(ignore);
  bob
    .channel("room:1")
    .publish("message", 1, { ttlMs: 40 * DAY_MS })
    .catch(ignore);
  bob
    .channel("room:1")
    .read({ timeoutMs: 50 * DAY_MS })
    .catch(ignore);
  bob.request("think").catch(ignore);
}

async function connected(getToken?: GetToken): Promise<Stage> {
  const given = stage(getToken);
  given.bob.channel("room:1").subscribe();
  await given.world.until(() => given.bob.status.state === "connected");
  return given;
}

async function withoutToken(): Promise<Stage> {
  const given = stage(never);
  useAll(given.bob);
  await given.world.advance(1_000);
  return given;
}

async function underWay(): Promise<Stage> {
  const given = await connected();
  useAll(given.bob);
  await given.world.advance(1_000);
  return given;
}

/** How a client comes into every state that it can be closed or taken offline in. */
const INTO: Readonly<Record<string, () => Promise<Stage>>> = {
  idle: async () => stage(),
  "connecting, the token doesn't come": withoutToken,
  "connecting, the upgrade isn't answered": async () => {
    const given = stage();
    given.world.hosts[0]?.device.sleep();
    useAll(given.bob);
    await given.world.advance(1_000);
    expect(given.world.links).toHaveLength(1);
    return given;
  },
  "connecting, welcome doesn't come": async () => {
    const given = stage();
    const { world } = given;
    world.tap = (direction) => {
      if (direction === "toServer") world.link.silence("toClient");
      return "arrives";
    };
    useAll(given.bob);
    await world.advance(1_000);
    return given;
  },
  "waiting for the next attempt": async () => {
    const given = await connected();
    given.world.unreachable = true;
    given.world.link.cut();
    useAll(given.bob);
    await given.world.until(() => given.bob.status.attempt > 5);
    await given.world.until(() => given.bob.status.retryAt !== null);
    return given;
  },
  "connected, with everything under way": underWay,
  "connected, a fresh token is asked for": async () => {
    let asked = 0;
    const given = await connected((options) => ((asked += 1) === 1 ? "bob" : never(options)));
    await given.world.until(() => asked === 2, 600_000);
    return given;
  },
  "refused for good": async () => {
    const given = stage(() => BAD_TOKEN);
    useAll(given.bob);
    await given.world.until(() => given.bob.status.state === "closed");
    return given;
  },
  "offline, as the application asked": async () => {
    const given = await underWay();
    given.bob.goOffline();
    return given;
  },
  "offline, as the platform says while it asks for a token": async () => {
    const given = await withoutToken();
    given.device.tell("offline");
    return given;
  },
};

for (const [name, lead] of Object.entries(INTO)) {
  test(`closed while ${name}: no timer, token or socket outlives close()`, async () => {
    const { world, device, bob, signals } = await lead();
    await world.outcome(bob.close(), 6_000);
    expect(device.pending).toBe(0);
    expect(bob.status).toMatchObject({ state: "closed", pending: 0, retryAt: null });
    const { length } = world.links;
    world.hosts[0]?.device.wake();
    await world.advance(DAY_MS);
    expect(device.pending).toBe(0);
    expect(world.links).toHaveLength(length);
    expect(world.links.every((link) => !link.isUp)).toBe(true);
    expect(signals.at(-1)?.aborted ?? false).toBe(name.includes("token"));
  });
}

/** Ways in which an attempt is broken off from this side, and the next one begins. */
const DETOURS: Readonly<Record<string, (stage: Stage) => void>> = {
  "goOffline and goOnline": ({ bob }) => {
    bob.goOffline();
    bob.goOnline();
  },
  "a network that goes and comes": ({ device }) => {
    device.tell("offline");
    device.tell("online");
  },
  "a page that is left and comes back": ({ device }) => {
    device.tell("pagehide");
    device.tell("pageshow");
  },
  "no network, and retryNow": ({ bob, device }) => {
    device.tell("offline");
    bob.retryNow();
  },
};

for (const [name, detour] of Object.entries(DETOURS)) {
  for (const hangs of ["token", "upgrade"] as const) {
    test(`${name}, while the ${hangs} hangs: the old deadline doesn't cut the next connection`, async () => {
      let asked = 0;
      const given = stage((options) => {
        asked += 1;
        return hangs === "token" && asked === 1 ? never(options) : "bob";
      });
      const { world, bob, signals } = given;
      const { device: host } = world.hosts[0] as Host;
      if (hangs === "upgrade") host.sleep();
      bob.channel("room:1").subscribe();
      await world.advance(10_000);
      const [broken] = world.links;
      detour(given);
      host.wake();
      expect(signals[0]?.aborted).toBe(hangs === "token");
      await world.until(() => bob.status.state === "connected", 1_000);
      expect(broken?.isUp ?? false).toBe(false);
      const { length } = world.links;
      await world.advance(60_000);
      expect(bob.status).toMatchObject({ state: "connected", reason: null });
      expect(world.links).toHaveLength(length);
    });
  }
}

test("a token is taken back when the deadline has passed, and its signal says so", async () => {
  const { world, bob, signals } = stage(never);
  bob.channel("room:1").subscribe();
  await world.until(() => bob.status.reason === "connect_timeout", 16_000);
  expect(signals[0]?.aborted).toBe(true);
  expect(signals.map(({ reason }) => (reason as Error).name)).toEqual(["AbortError"]);
});

test.each([
  ["goes offline and comes back", (bob: Client) => (bob.goOffline(), bob.goOnline())],
  ["closes", (bob: Client) => void bob.close()],
  ["retries", (bob: Client) => bob.retryNow()],
])(
  "an application that %s when its token is taken back has one attempt at most",
  async (_, act) => {
    let asked = 0;
    const { world, bob, signals } = await connected((options) =>
      (asked += 1) === 2 ? never(options) : "bob",
    );
    await world.until(() => asked === 2, 600_000);
    signals[1]?.addEventListener("abort", () => act(bob));
    const { length } = world.links;
    world.link.cut();
    await world.advance(5_000);
    expect(world.links.length - length).toBe(bob.status.state === "connected" ? 1 : 0);
    expect(world.links.filter(({ isOver }) => !isOver).length).toBe(world.node.connections);
    expect(world.node.connections).toBe(bob.status.state === "connected" ? 1 : 0);
    expect(["connected", "closed"]).toContain(bob.status.state);
  },
);

test("a token that has come isn't taken back later", async () => {
  const { world, bob, signals } = await connected();
  await world.outcome(bob.close());
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
});

test("offline there are no timers but of what the application waits for", async () => {
  const { device, bob } = await underWay();
  bob.goOffline();
  expect(device.pending).toBe(0);
  useAll(bob);
  // A publication's time to live, and how long a page and a request may take.
  expect(device.pending).toBe(3);
});

test("a refusal's wait ends with its connection, and shortens none of the next one's", async () => {
  let waitMs = 10_000;
  const times: number[] = [];
  const world: World = new World({
    application: {
      authorize: ({ action }) => {
        if (action === "subscribe") return true;
        times.push(world.clock.monotonic());
        throw Object.assign(tailwireError("rate_limited"), { retryAfterMs: waitMs });
      },
    },
  });
  const bob = world.client("bob");
  void bob
    .channel("room:1")
    .publish("message", 1)
    .catch(() => undefined);
  await world.until(() => times.length === 1);
  await world.advance(8_500);
  waitMs = 60_000;
  world.link.cut();
  await world.until(() => times.length === 2, 1_200);
  await world.advance(30_000);
  expect(times).toHaveLength(2);
});
