// How a client's connection ends: by whom, with which code, and what is told to whoever waits.
import { expect, test } from "vitest";
import type { Client } from "@tailwire/client/core";
import { BAD_TOKEN, Device, World } from "@tailwire/simulation";

test.each([1000, 1001, 1002, 1005, 1006, 1008, 1011, 1013, 1015, 3000, 3999, 4000, 4499, 5000])(
  "[CLOSE-1] a client that is closed with %d, by whatever stands between, comes back",
  async (code) => {
    const world = new World();
    const bob = world.client("bob");
    const subscription = bob.channel("room:1").subscribe();
    await world.outcome(subscription.ready);
    world.link.refuse(code, "idle");
    expect(bob.status).toMatchObject({ state: "reconnecting", reason: "idle" });
    await world.until(() => bob.status.state === "connected", 2_000);
    expect(world.links).toHaveLength(2);
  },
);

test.each([4500, 4777, 4999])(
  "[CLOSE-1] a client that is closed with %d stays away",
  async (code) => {
    const world = new World();
    const bob = world.client("bob");
    await world.outcome(bob.channel("room:1").subscribe().ready);
    world.link.refuse(code, "");
    await world.advance(60_000);
    expect(bob.status).toMatchObject({ state: "closed", reason: `closed_${code}` });
    expect(world.links).toHaveLength(1);
  },
);

test("an attempt that never opened is told apart from a connection that was lost", async () => {
  const world = new World();
  world.unreachable = true;
  const bob = world.client("bob");
  bob.channel("room:1").subscribe();
  await world.until(() => bob.status.reason !== null);
  expect(bob.status.reason).toBe("connect_failed");
  world.unreachable = false;
  await world.until(() => bob.status.state === "connected", 60_000);
  expect(bob.status.reason).toBe(null);
  world.link.cut();
  expect(bob.status.reason).toBe("connection_lost");
  world.unreachable = true;
  await world.until(() => bob.status.reason === "connect_failed");
});

// close(): its promise

interface Waiting {
  readonly published: Promise<unknown>;
  readonly page: Promise<unknown>;
  readonly answer: Promise<unknown>;
}

function worldThatAnswers(): World {
  const echo = (input: unknown): unknown => input;
  const slow = (): Promise<unknown> => new Promise(() => undefined);
  return new World({ application: { requests: new Map(Object.entries({ echo, slow })) } });
}

const codeOf = (error: { readonly code?: string }): string => error.code ?? "no code";

/** One of each thing that may be waited for, each as "done" or a code. */
function useAll(bob: Client): Waiting {
  const outcome = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(() => "done", codeOf);
  return {
    published: outcome(bob.channel("room:1").publish("message", 1)),
    page: outcome(bob.channel("room:1").read()),
    answer: outcome(bob.request("echo", 1)),
  };
}

async function outcomes(world: World, waiting: Waiting): Promise<readonly unknown[]> {
  return world.outcome(Promise.all(Object.values(waiting)), 0);
}

/** States in which it may still become connected, and how a client gets there. */
const HOPEFUL: Readonly<Record<string, (world: World, bob: Client) => Promise<unknown> | void>> = {
  "it connects": () => undefined,
  "its token is on the way": (world) => world.advance(0),
  "it is connected": async (world, bob) => {
    await world.outcome(bob.channel("room:1").subscribe().ready);
  },
  "it has just lost the connection": async (world, bob) => {
    await world.outcome(bob.channel("room:1").subscribe().ready);
    world.link.cut();
  },
  "it waits for an attempt that is long to come": async (world, bob) => {
    world.unreachable = true;
    bob.channel("room:1").subscribe();
    await world.until(() => (bob.status.retryAt ?? 0) > world.clock.now() + 10_000, 600_000);
    world.unreachable = false;
  },
};

for (const [name, lead] of Object.entries(HOPEFUL)) {
  test(`close() while ${name}: waits for the outbox, pages and requests`, async () => {
    const world = worldThatAnswers();
    const bob = world.client("bob");
    await lead(world, bob);
    const waiting = useAll(bob);
    const closedAt = world.clock.monotonic();
    await world.outcome(bob.close());
    expect(await outcomes(world, waiting)).toEqual(["done", "done", "done"]);
    expect(world.clock.monotonic() - closedAt).toBeLessThan(2_000);
    expect(bob.status).toMatchObject({ state: "closed", pending: 0 });
  });
}

test("close() while the platform says offline: waits 5 s for a network", async () => {
  const world = worldThatAnswers();
  const device = new Device(world.clock);
  device.hasNetwork = false;
  const bob = world.client("bob", {}, device);
  const waiting = useAll(bob);
  const closed = bob.close();
  await world.advance(4_000);
  expect(bob.status).toMatchObject({ state: "offline", pending: 1 });
  device.tell("online");
  await world.outcome(closed, 1_000);
  expect(await outcomes(world, waiting)).toEqual(["done", "done", "done"]);
});

test.each(["connecting", "offline"] as const)(
  "close() while %s, and nothing comes of it: after 5 s the rest is told",
  async (state) => {
    const world = worldThatAnswers();
    world.unreachable = true;
    const device = new Device(world.clock);
    device.hasNetwork = state !== "offline";
    const bob = world.client("bob", {}, device);
    const waiting = useAll(bob);
    const closed = bob.close();
    await world.advance(4_999);
    expect(bob.status.pending).toBe(1);
    await world.outcome(closed, 1);
    expect(await outcomes(world, waiting)).toEqual(["closed", "closed", "closed"]);
  },
);

test("close() waits 5 s for an answer that doesn't come, and says indeterminate", async () => {
  const world = worldThatAnswers();
  const bob = world.client("bob");
  const answer = bob.request("slow").catch(codeOf);
  await world.until(() => bob.status.state === "connected");
  await world.advance(100);
  const closedAt = world.clock.monotonic();
  await world.outcome(bob.close());
  expect(world.clock.monotonic() - closedAt).toBe(5_000);
  expect(await answer).toBe("indeterminate");
});

test("close() while idle: closed at once", async () => {
  const bob = new World().client("bob");
  void bob.close();
  expect(bob.status.state).toBe("closed");
});

test("close() while the application keeps it offline: waits for nothing", async () => {
  const world = worldThatAnswers();
  const bob = world.client("bob");
  bob.goOffline();
  const waiting = useAll(bob);
  const closed = bob.close();
  expect(bob.status.state).toBe("closed");
  await world.outcome(closed, 0);
  expect(await outcomes(world, waiting)).toEqual(["closed", "closed", "closed"]);
});

test("goOffline() ends the wait of close()", async () => {
  const world = worldThatAnswers();
  world.unreachable = true;
  const bob = world.client("bob");
  const waiting = useAll(bob);
  const closed = bob.close();
  await world.advance(1_000);
  bob.goOffline();
  await world.outcome(closed, 0);
  expect(await outcomes(world, waiting)).toEqual(["closed", "closed", "closed"]);
});

test("a client whose server stays away makes no storm of attempts while it closes", async () => {
  const world = worldThatAnswers();
  world.unreachable = true;
  const bob = world.client("bob");
  void useAll(bob);
  await world.outcome(bob.close());
  expect(world.links.length).toBeLessThan(20);
});

test("while it closes, a client takes nothing new, and shows what it would", async () => {
  const world = worldThatAnswers();
  world.unreachable = true;
  const bob = world.client("bob");
  const room = bob.channel("room:1");
  const published = room.publish("message", 1).then(() => "done", codeOf);
  const closed = bob.close();
  expect(bob.close()).toBe(closed);
  expect(bob.status).toMatchObject({ state: "connecting", pending: 1 });
  const late = useAll(bob);
  expect(() => room.subscribe()).toThrow(expect.objectContaining({ code: "closed" }));
  expect(await outcomes(world, late)).toEqual(["closed", "closed", "closed"]);
  world.unreachable = false;
  await world.outcome(closed);
  expect(await published).toBe("done");
});

test("[SUB-10] a subscription that the server begins while the client closes is ended", async () => {
  const world = worldThatAnswers();
  const bob = world.client("bob");
  bob.onSubscribed(() => undefined);
  const answer = bob.request("slow").catch(codeOf);
  await world.until(() => bob.status.state === "connected");
  const sent: string[] = [];
  world.tap = (direction, text) => {
    if (direction === "toServer") sent.push(text);
    return "arrives";
  };
  const closed = bob.close();
  world.node.subscribe("bob", "room:7");
  await world.advance(1_000);
  expect(sent.join("")).toContain('"unsubscribe"');
  await world.outcome(closed);
  expect(await answer).toBe("indeterminate");
});

// Refused for good

test.each([
  [4501, "unauthenticated"],
  [4502, "protocol_violation"],
  [4503, "identity_changed"],
  [4504, "disconnected"],
  [4509, "superseded"],
  [4510, "session_in_use"],
  [4510, "session_in_use: generation 3"],
  [4999, ""],
])(
  "a close with %d %s is the code of everything that waits, and of what comes later",
  async (code, reason) => {
    const name = reason === "" ? `closed_${code}` : reason.replace(/:.*/, "");
    const world = worldThatAnswers();
    const bob = world.client("bob");
    world.unreachable = true;
    const subscription = bob.channel("room:1").subscribe();
    const ready = subscription.ready.then(() => "done", codeOf);
    const waiting = useAll(bob);
    await world.advance(100);
    world.tap = (direction, _text, link) => {
      if (direction === "toServer") link.refuse(code, reason);
      return "cut before";
    };
    world.unreachable = false;
    await world.until(() => bob.status.state === "closed");
    expect(await ready).toBe(name);
    const { published, page, answer } = waiting;
    // A request on its way may have been carried out; reading a page changes nothing.
    expect(await world.outcome(Promise.all([published, page, answer]), 0)).toEqual([
      "indeterminate",
      name,
      "indeterminate",
    ]);
    expect(await outcomes(world, useAll(bob))).toEqual([name, name, name]);
    expect(() => bob.channel("room:2").subscribe()).toThrow(
      expect.objectContaining({ code: name }),
    );
    await world.outcome(bob.close(), 0);
    expect(await outcomes(world, useAll(bob))).toEqual([name, name, name]);
  },
);

test("a token that is refused is the code of everything that waits, at once", async () => {
  const world = worldThatAnswers();
  const bob = world.client("bob", { getToken: () => BAD_TOKEN });
  const waiting = useAll(bob);
  await world.until(() => bob.status.state === "closed", 2_000);
  expect(await outcomes(world, waiting)).toEqual([
    "unauthenticated",
    "unauthenticated",
    "unauthenticated",
  ]);
});

test.each([
  [
    "throws",
    () => {
      throw new Error("no");
    },
  ],
  ["rejects", () => Promise.reject(new Error("no"))],
  ["gives nothing", () => undefined],
  ["gives a promise of null", async () => null],
  ["gives a number", () => 42],
  ["gives an object", () => ({ token: "bob" })],
  ["gives an empty text", () => ""],
  ["gives a megabyte", () => "x".repeat(1_000_000)],
  ["gives 8,193 characters", () => "x".repeat(8_193)],
  ["gives half a character", () => "bob\ud800"],
])("a getToken that %s is shown as token_failed, and asked again", async (_, getToken) => {
  const world = worldThatAnswers();
  let isGood = false;
  const given = (): unknown => (isGood ? "bob" : getToken());
  const bob = world.client("bob", { getToken: given as () => string });
  const waiting = useAll(bob);
  await world.advance(2_000);
  expect(bob.status).toMatchObject({ state: "reconnecting", reason: "token_failed" });
  expect(world.links).toHaveLength(0);
  isGood = true;
  await world.until(() => bob.status.state === "connected", 10_000);
  await world.advance(100);
  expect(await outcomes(world, waiting)).toEqual(["done", "done", "done"]);
});
