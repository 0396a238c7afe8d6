// News that nobody listens to: a developer is told once, and nobody else.
import { expect, test } from "vitest";
import { World } from "@tailwire/simulation";

type Client = ReturnType<World["client"]>;

/** The codes and words of what a client's application would never hear. */
function complaintsOf(client: Client): string[] {
  const complaints: string[] = [];
  client.onError(({ message }) => complaints.push(message));
  return complaints;
}

const GONE = { epoch: "gone", offset: 3, id: "x" };
const nothing = (): void => undefined;

test("[DEL-4] a gap without a listener is told once", async () => {
  const world = new World({ seed: 1 });
  const bob = world.client("bob");
  const complaints = complaintsOf(bob);
  const subscription = bob.channel("room:1").subscribe({ start: GONE });
  subscription.on("a", nothing);
  await world.until(() => complaints.length > 0);
  expect(complaints).toEqual([expect.stringMatching(/^unheard: room:1: gap epoch\./)]);
  bob.channel("room:2").subscribe({ start: GONE }).onGap(nothing);
  await world.advance(5_000);
  expect(complaints).toHaveLength(1);
});

test("[AUTH-7] a refusal is told where there are only listeners of events", async () => {
  const world = new World({ seed: 2 });
  const bob = world.client("bob");
  const complaints = complaintsOf(bob);
  const channel = bob.channel("undeclared");
  channel.subscribe().on("a", nothing);
  await world.until(() => complaints.length > 0);
  expect(complaints).toEqual([expect.stringMatching(/^unheard: undeclared: forbidden: /)]);
  const ended = channel.subscribe();
  ended.on("a", nothing);
  ended.onEnd(nothing);
  const awaited = channel.subscribe();
  awaited.on("a", nothing);
  const loop = channel.subscribe()[Symbol.asyncIterator]();
  const outcomes = Promise.allSettled([awaited.ready, loop.next()]);
  await world.advance(5_000);
  expect(await outcomes).toMatchObject([
    { status: "rejected", reason: { code: "forbidden" } },
    { status: "rejected", reason: { code: "forbidden" } },
  ]);
  expect(complaints).toHaveLength(1);
});

test("a server that can't be reached is told of at the third failure in a row, with the address", async () => {
  const world = new World({ seed: 3 });
  world.unreachable = true;
  const bob = world.client("bob");
  const complaints = complaintsOf(bob);
  const attempts: number[] = [];
  bob.onError(() => attempts.push(bob.status.attempt));
  bob.channel("room:1").subscribe().on("a", nothing);
  await world.advance(10 * 60_000);
  expect(complaints).toEqual([expect.stringMatching(/^connect_failed: \w+ at ws:/)]);
  expect(attempts).toEqual([3]);
  world.unreachable = false;
  await world.until(() => bob.status.state === "connected", 31_000);
  await world.advance(60_000);
  world.link.cut();
  await world.advance(60_000);
  expect(complaints).toHaveLength(1);
});

test.each(["close", "goOffline"] as const)(
  "a listener that calls %s, when it is told of a failure, ends the attempts",
  async (method) => {
    const world = new World({ seed: 5 });
    world.unreachable = true;
    const bob = world.client("bob");
    let told = 0;
    bob.onError(() => {
      told += 1;
      void bob[method]();
    });
    bob.channel("room:1").subscribe().on("a", nothing);
    await world.until(() => told > 0, 60_000);
    world.unreachable = false;
    await world.advance(120_000);
    const state = method === "close" ? "closed" : "offline";
    expect(bob.status).toMatchObject({ state, attempt: 3, retryAt: null });
    expect(told).toBe(1);
  },
);

test("listeners of the status are told when something in it has changed, and not otherwise", async () => {
  const world = new World({ seed: 4 });
  const bob = world.client("bob");
  const told: (typeof bob.status)[] = [];
  bob.onStatus((status) => told.push(status));
  const channel = bob.channel("room:1");
  await world.until(() => bob.status.state === "idle");
  const sent = Array.from({ length: 50 }, (_, n) => channel.publish("a", n));
  await world.until(() => bob.status.state === "connected" && bob.status.pending === 0);
  await Promise.all(sent);
  const same = told.filter((status, at) => {
    const before = told[at - 1];
    return before !== undefined && JSON.stringify(before) === JSON.stringify(status);
  });
  expect(same).toEqual([]);
  expect(bob.status).toBe(bob.status);
  expect(told.at(-1)).toBe(bob.status);
  const { length } = told;
  bob.retryNow();
  await world.advance(1_000);
  expect(told).toHaveLength(length);
});
