// Loops whose period comes from the other side: whatever a server or a getToken does, a client asks
// again after waits that grow.
import { expect, test } from "vitest";
import type { ClientOptions } from "@tailwire/client/core";
import { TailwireError } from "@tailwire/protocol";
import { type Link, World, type WorldOptions } from "@tailwire/simulation";

const MINUTES = 10;

/** One call in a second would be 600. */
const CALLS_MAX = 100;

type Authenticate = NonNullable<WorldOptions["authenticate"]>;

interface Storm {
  readonly what: string;
  readonly authenticate?: (world: World, call: number) => ReturnType<Authenticate>;
  readonly getToken?: (call: number) => unknown;
  /** Called with a link right after its client was welcomed. */
  readonly welcomed?: (link: Link) => void;
  readonly unreachable?: boolean;
}

const user = { id: "bob" };
const BEGAN = 1_700_000_000_000;

const STORMS: readonly Storm[] = [
  {
    what: "a getToken that gives one token for ever, which ends",
    authenticate: () => ({ user, expiresAt: BEGAN + 1_500 }),
  },
  {
    what: "a token that ended before it was taken",
    authenticate: (world) => ({ user, expiresAt: world.clock.now() - 3_600_000 }),
  },
  {
    what: "a token that ends the moment it is taken",
    authenticate: (world) => ({ user, expiresAt: world.clock.now() }),
  },
  {
    what: "tokens that live for 5 ms each",
    authenticate: (world) => ({ user, expiresAt: world.clock.now() + 5 }),
  },
  {
    what: "an end in seconds instead of milliseconds",
    authenticate: () => ({ user, expiresAt: BEGAN / 1_000 }),
  },
  {
    what: "a getToken that fails from the second time on",
    authenticate: (world) => ({ user, expiresAt: world.clock.now() + 1_000 }),
    getToken: (call) => (call === 1 ? "bob" : Promise.reject(new Error("no"))),
  },
  {
    what: "a getToken that throws at once",
    getToken: () => {
      throw new TypeError("no");
    },
  },
  { what: "a getToken that gives nothing", getToken: () => undefined },
  {
    what: "fresh tokens that are refused for now",
    authenticate: (world, call) => {
      if (call === 1) return { user, expiresAt: world.clock.now() + 60_000 };
      const description = "Later.";
      const busy = { code: "busy", description, fault: "server", retry: true } as const;
      return Promise.reject(new TailwireError(busy));
    },
  },
  { what: "a server that closes with 1012 right after welcome", welcomed: closing(1012) },
  { what: "a server that closes with 4410 right after welcome", welcomed: closing(4410) },
  { what: "a proxy that closes with 1000 right after welcome", welcomed: closing(1000) },
  { what: "a server that welcomes and then says unauthenticated", welcomed: closing(4501) },
  { what: "a network that breaks right after welcome", welcomed: (link) => link.cut() },
  { what: "nobody who listens", unreachable: true },
];

function closing(code: number): (link: Link) => void {
  return (link) => link.close(code, "");
}

for (const { what, authenticate, getToken, welcomed, unreachable = false } of STORMS) {
  test(`${what}: no storm`, async () => {
    const calls = { token: 0, server: 0 };
    const world: World = new World({
      seed: 3,
      authenticate: (token) => {
        calls.server += 1;
        return authenticate?.(world, calls.server) ?? { user: { id: token } };
      },
    });
    world.unreachable = unreachable;
    world.tap = (direction, text, link) => {
      if (direction === "toClient" && text.includes('"welcome"')) {
        if (welcomed !== undefined) world.clock.after(0, () => welcomed(link));
      }
      return "arrives";
    };
    const given = (): unknown => {
      calls.token += 1;
      return getToken === undefined ? "bob" : getToken(calls.token);
    };
    const bob = world.client("bob", { getToken: given as ClientOptions["getToken"] & object });
    bob.channel("room:1").subscribe();
    await world.advance(10_000);
    expect(calls.token).toBeLessThanOrEqual(15);
    await world.advance((MINUTES * 60 - 10) * 1_000);
    expect(calls.token).toBeGreaterThan(1);
    expect(calls.token).toBeLessThan(CALLS_MAX);
    expect(calls.server).toBeLessThan(CALLS_MAX);
    expect(bob.status.state).not.toBe("closed");
  });
}

test("[AUTH-8] a token of three seconds is renewed in time, again and again, on one connection", async () => {
  const world: World = new World({
    authenticate: (token) => ({ user: { id: token }, expiresAt: world.clock.now() + 3_000 }),
  });
  let calls = 0;
  const bob = world.client("bob", { getToken: () => ((calls += 1), "bob") });
  bob.channel("room:1").subscribe();
  await world.advance(60_000);
  expect(world.links).toHaveLength(1);
  expect(calls).toBeGreaterThan(20);
  expect(calls).toBeLessThanOrEqual(61);
});

test("after a bad spell of short tokens, one that lives is renewed as if there had been none", async () => {
  let lifeMs = 5;
  const world: World = new World({
    authenticate: (token) => ({ user: { id: token }, expiresAt: world.clock.now() + lifeMs }),
  });
  const bob = world.client("bob");
  bob.channel("room:1").subscribe();
  await world.advance(60_000);
  lifeMs = 10_000;
  await world.until(() => bob.status.state === "connected", 60_000);
  await world.advance(60_000);
  const { length } = world.links;
  await world.advance(10 * 60_000);
  expect(world.links).toHaveLength(length);
});

test.each([0, 1, 40])(
  "a publication that is refused for ever, each time with a wait of %d ms: no storm",
  async (retryAfterMs) => {
    let refusals = 0;
    const world = new World({
      delayMs: 1,
      application: {
        authorize: ({ action }) => {
          if (action === "subscribe") return true;
          refusals += 1;
          const busy = { code: "busy", description: "Now.", fault: "server", retry: true } as const;
          throw new TailwireError({ ...busy, retryAfterMs });
        },
      },
    });
    const bob = world.client("bob");
    void bob
      .channel("room:1")
      .publish("message", 1)
      .catch(() => undefined);
    await world.advance(MINUTES * 60_000);
    expect(refusals).toBeGreaterThan(10);
    expect(refusals).toBeLessThan(CALLS_MAX);
  },
);
