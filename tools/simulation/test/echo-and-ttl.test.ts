// Own publications that aren't handed back, and publications that are only worth sending in time.
import { expect, test } from "vitest";
import type { Broker } from "@tailwire/server/broker-contract";
import { changed, Device, Follower, World } from "@tailwire/simulation";
import { slowAppends } from "./slow-appends.ts";

/** A promise's outcome: "resolved", or the code it was rejected with; null while it is open. */
function watch(promise: Promise<unknown>): { outcome: string | null } {
  const watched: { outcome: string | null } = { outcome: null };
  promise.then(
    () => (watched.outcome = "resolved"),
    (error: { code: string }) => (watched.outcome = error.code),
  );
  return watched;
}

test("without echo others' publications are handed over, and the position moves past one's own", async () => {
  const world = new World();
  const ada = world.client("ada");
  const bob = world.client("bob");
  const subscription = ada.channel("room:1").subscribe({ echo: false });
  const data: unknown[] = [];
  subscription.on("message", (publication) => void data.push(publication.data));
  const beside = new Follower(ada.channel("room:1").subscribe());
  await world.outcome(subscription.ready);
  await world.outcome(ada.channel("room:1").publish("message", "mine"));
  await world.outcome(bob.channel("room:1").publish("message", "his"));
  await world.outcome(ada.channel("room:1").publish("message", "mine too"));
  await world.until(() => beside.publications.length === 3);
  expect(data).toEqual(["his"]);
  expect(beside.data).toEqual(["mine", "his", "mine too"]);
  expect(subscription.position?.offset).toBe(3);
});

test("without echo the position moves past one's own only after what came before is handled", async () => {
  const world = new World();
  const ada = world.client("ada");
  const subscription = ada.channel("room:1").subscribe({ echo: false });
  await world.outcome(subscription.ready);
  await world.outcome(world.client("bob").channel("room:1").publish("message", "his"));
  await world.outcome(ada.channel("room:1").publish("message", "mine"));
  const iterator = subscription[Symbol.asyncIterator]();
  const first = await world.outcome(iterator.next());
  expect(first.value?.data).toBe("his");
  await world.advance(100);
  expect(subscription.position?.offset).toBe(0);
  void iterator.next();
  expect(subscription.position?.offset).toBe(2);
});

test("[PUB-11] without echo one's own publication still acknowledges itself", async () => {
  // The broker pushes at once, and answers appends late.
  const world: World = new World({
    wrapBroker: (broker) => slowAppends(broker, () => world.clock),
  });
  const ada = world.client("ada");
  const subscription = ada.channel("room:1").subscribe({ echo: false });
  subscription.on("message", () => undefined);
  await world.outcome(subscription.ready);
  const published = ada.channel("room:1").publish("message", "mine");
  const { position } = await world.outcome(published, 1_000);
  expect(position.offset).toBe(1);
});

test("a publication that wasn't sent within its ttlMs is dropped in time, also while offline", async () => {
  const world = new World();
  const ada = world.client("ada");
  ada.goOffline();
  const typing = watch(ada.channel("room:1").publish("typing", null, { ttlMs: 3_000 }));
  const message = watch(ada.channel("room:1").publish("message", "kept"));
  await world.advance(2_999);
  expect(typing.outcome).toBeNull();
  await world.advance(1);
  expect(typing.outcome).toBe("ttl_expired");
  expect(ada.status.pending).toBe(1);
  ada.goOnline();
  await world.until(() => message.outcome === "resolved", 200);
  const follower = new Follower(ada.channel("room:1").subscribe({ start: "earliest" }), [
    "message",
    "typing",
  ]);
  await world.until(() => follower.caughtUps === 1);
  expect(follower.data).toEqual(["kept"]);
});

test("a publication that is sent in time is in the log, and its ttlMs is over", async () => {
  const world = new World();
  const ada = world.client("ada");
  const typing = watch(ada.channel("room:1").publish("typing", null, { ttlMs: 3_000 }));
  await world.advance(10_000);
  expect(typing.outcome).toBe("resolved");
});

test("[PUB-9] once sent it isn't dropped: it is repeated until its fate is known", async () => {
  const world = new World();
  const ada = world.client("ada");
  world.tap = (_direction, text) => {
    if (!text.includes('"type":"publish"')) return "arrives";
    world.tap = () => "arrives";
    world.unreachable = true;
    return "cut after";
  };
  const typing = watch(ada.channel("room:1").publish("typing", null, { ttlMs: 3_000 }));
  await world.advance(10_000);
  expect(typing.outcome).toBeNull();
  expect(ada.status.pending).toBe(1);
  world.unreachable = false;
  await world.until(() => typing.outcome !== null);
  expect(typing.outcome).toBe("resolved");
});

test("time that the machine slept through counts, whichever clock shows it", async () => {
  const world = new World();
  const device = new Device(world.clock);
  const ada = world.client("ada", {}, device);
  ada.goOffline();
  const typing = watch(ada.channel("room:1").publish("typing", null, { ttlMs: 60_000 }));
  world.clock.jump(3_600_000);
  ada.goOnline();
  await world.until(() => typing.outcome !== null, 200);
  expect(typing.outcome).toBe("ttl_expired");
});

test("a ttlMs longer than a timer can be neither fires at once nor is forgotten", async () => {
  const world = new World();
  const ada = world.client("ada");
  ada.goOffline();
  const late = watch(ada.channel("room:1").publish("message", 1, { ttlMs: 3e9 }));
  await world.advance(3e9 - 1);
  expect(late.outcome).toBeNull();
  await world.advance(1);
  expect(late.outcome).toBe("ttl_expired");
});

test("a publication without a ttlMs waits for as long as it takes", async () => {
  const world = new World();
  const ada = world.client("ada");
  ada.goOffline();
  const message = watch(ada.channel("room:1").publish("message", 1));
  await world.advance(30 * 24 * 3_600_000);
  expect(message.outcome).toBeNull();
});

test("[PUB-12] a refused publication is sent again past its ttlMs and its abort: the server waits for it", async () => {
  let refuse = true;
  const refusing = (broker: Broker): Broker =>
    changed(broker, (log) => {
      const append: typeof log.append = async (batch) =>
        refuse
          ? batch.map(() => ({ kind: "refused" as const, code: "expired" as const }))
          : log.append(batch);
      return { append };
    });
  const world = new World({ wrapBroker: refusing });
  const ada = world.client("ada");
  const abort = new AbortController();
  const aborted = watch(ada.channel("room:2").publish("message", 1, { signal: abort.signal }));
  const typing = watch(ada.channel("room:1").publish("typing", null, { ttlMs: 500 }));
  const behind = ["room:1", "room:2"].map((room) => watch(ada.channel(room).publish("message", 2)));
  await world.advance(700);
  abort.abort();
  await world.advance(2_000);
  expect(typing.outcome).toBeNull();
  refuse = false;
  await world.advance(5_000);
  expect(typing.outcome).toBe("resolved");
  expect(behind.map(({ outcome }) => outcome)).toEqual(["resolved", "resolved"]);
  expect(aborted.outcome).not.toBe("resolved");
});
