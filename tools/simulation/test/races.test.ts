// Faults that the simulator has found, each in the smallest world that shows it.
import { expect, test } from "vitest";
import type { AppendResult } from "@tailwire/server/broker-contract";
import {
  BrokerLine,
  changed,
  Dice,
  Follower,
  NO_WITNESS,
  SharedBroker,
  SimulatedClock,
  World,
} from "@tailwire/simulation";

const idOf = (text: string, data: string): string | undefined =>
  text
    .split("\n")
    .filter((line) => line.includes('"type":"publish"') && line.includes(`"data":"${data}"`))
    .map((line) => /"id":"([^"]+)"/.exec(line)?.[1])[0];

test("[PUB-9] a publication isn't sent again on a connection before its first send was answered", async () => {
  const clock = new SimulatedClock();
  const later = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
  let appends = 0;
  const world = new World({
    clock,
    wrapBroker: (broker) =>
      changed(broker, (log) => ({
        append: async (batch) => {
          appends += 1;
          if (appends > 1) return log.append(batch);
          await later(500);
          return batch.map(() => ({ kind: "refused", code: "expired" }) as const);
        },
        tail: async (listener) => {
          await later(5_000);
          return log.tail(listener);
        },
      })),
  });
  const room = world.client("ada").channel("room:1");
  const sends: string[] = [];
  world.tap = (direction, text) => {
    if (direction === "toServer" && idOf(text, "second") !== undefined) sends.push("sent");
    if (direction === "toClient" && text.includes('"held"')) sends.push("answered");
    return "arrives";
  };
  const first = room.publish("message", "first");
  await world.advance(100);
  // It stands in the channel's line before the second, and takes its time.
  room.subscribe();
  const second = room.publish("message", "second");
  const positions = await world.outcome(Promise.all([first, second]));
  expect(sends).toEqual(["sent", "answered", "sent"]);
  expect(positions.map(({ position }) => position.offset)).toEqual([1, 2]);
});

test("[PUB-11, PUB-12] who has seen a refused publication in the log sends it again all the same", async () => {
  let appends = 0;
  const world = new World({
    wrapBroker: (broker) =>
      changed(broker, (log) => ({
        append: async (batch): Promise<readonly AppendResult[]> => {
          appends += 1;
          const results = await log.append(batch);
          return appends > 1
            ? results
            : results.map(() => ({ kind: "refused", code: "rate_limited" }));
        },
      })),
  });
  const room = world.client("ada").channel("room:1");
  const follower = new Follower(room.subscribe());
  await world.outcome(follower.subscription.ready);
  await world.outcome(room.publish("message", "first"));
  await world.outcome(room.publish("message", "second"), 5_000);
  expect(follower.data).toEqual(["first", "second"]);
});

/** A world whose rooms have a state, and 30 publications of which 20 are kept. */
async function worldWithState(): Promise<World> {
  const world = new World({
    channels: { "room:{id}": { retention: { count: 20 }, snapshot: () => ({ data: "state" }) } },
  });
  for (let number = 1; number <= 30; number += 1) {
    await world.outcome(world.node.publish("room:1", "message", number));
  }
  return world;
}

test("[STATE-3] a gap's state comes, though another subscription has to be served elsewhere", async () => {
  const world = await worldWithState();
  const { epoch } = await world.outcome(world.node.publish("room:1", "message", 31));
  const room = world.client("ada").channel("room:1");
  const told: string[] = [];
  const old = room.subscribe({ start: { epoch, offset: 3, id: null } });
  old.onGap(() => told.push("gap"));
  old.onSnapshot(() => told.push("state"));
  old.on("message", ({ data }) => void told.push(String(data)));
  // A publication right behind the gap isn't part of the gap's state, but of the newcomer's.
  world.tap = (direction, text) => {
    if (direction === "toClient" && text.includes('"gap"') && !told.includes("gap")) {
      void world.node.publish("room:1", "message", 32);
    }
    return "arrives";
  };
  // The first subscribe is on its way, and says nothing about this one.
  await world.advance(25);
  await world.outcome(room.subscribe().ready);
  await world.until(() => told.includes("32"));
  expect(told.slice(0, 2)).toEqual(["gap", "state"]);
});

test("[STATE-2] who begins with what is there gets the state, whoever else follows the channel", async () => {
  const world = await worldWithState();
  const room = world.client("ada").channel("room:1");
  const follower = new Follower(room.subscribe({ start: "earliest" }));
  await world.until(() => follower.caughtUps === 1);
  const states: unknown[] = [];
  const newcomer = room.subscribe();
  newcomer.onSnapshot(({ data }) => states.push(data));
  await world.outcome(newcomer.ready);
  await world.advance(1_000);
  expect(states).toEqual(["state"]);
  expect(follower.violations).toEqual([]);
});

/** A broker of which a test can take away what is in it. */
function sharedBroker(clock: SimulatedClock): SharedBroker {
  const dedupe = { dedupeMs: 120_000, window: 256, producersMax: 100 };
  return new SharedBroker({ ...dedupe, clock, random: new Dice(1), witness: NO_WITNESS });
}

test("[DEL-7] who is ahead of the cursor isn't taken into an epoch that lost what it has seen", async () => {
  const clock = new SimulatedClock();
  const shared = sharedBroker(clock);
  const world = new World({
    clock,
    kernelBytes: 300,
    limits: { flushBytesMax: 300, tailBytesMax: 600 },
    brokerOf: ({ clock: own }) => new BrokerLine(shared, clock, own),
  });
  const room = world.client("ada").channel("room:1");
  const ahead = new Follower(room.subscribe());
  await world.outcome(ahead.subscription.ready);
  for (let number = 1; number <= 20; number += 1) {
    await world.outcome(world.node.publish("room:1", "message", number));
  }
  await world.until(() => ahead.publications.length === 20);
  // Another one begins far behind, and the cursor of both with it, which doesn't get far.
  const behind = new Follower(room.subscribe({ start: "earliest" }));
  world.link.stopReading();
  await world.advance(1_000);
  shared.logs[0]?.lose(5);
  for (let number = 101; number <= 110; number += 1) {
    await world.outcome(world.node.publish("room:1", "message", number));
  }
  world.link.startReading();
  await world.until(() => [ahead, behind].every(({ data }) => data.at(-1) === 110));
  expect(ahead.gaps).toMatchObject([
    { reason: "diverged", from: { offset: 20 }, continuesAfter: { offset: 15 } },
  ]);
  expect(ahead.data.slice(20)).toEqual([101, 102, 103, 104, 105, 106, 107, 108, 109, 110]);
  expect(behind.publications.map(({ offset }) => offset)).toEqual(
    Array.from({ length: 25 }, (_, index) => index + 1),
  );
});

test("[READ-3] a page behind a gap is of one moment with it, whatever is trimmed right after", async () => {
  const clock = new SimulatedClock();
  const shared = sharedBroker(clock);
  let sheds = 0;
  const world = new World({
    clock,
    channels: { "room:{id}": { retention: { count: 10 } } },
    brokerOf: ({ clock: own }) => new BrokerLine(shared, clock, own),
    wrapBroker: (broker) =>
      changed(broker, (log) => ({
        read: async (after, limit) => {
          const read = await log.read(after, limit);
          if (read.kind === "gap" && sheds === 0) {
            sheds += 1;
            shared.logs[0]?.shed(3);
          }
          return read;
        },
      })),
  });
  for (let number = 1; number <= 30; number += 1) {
    await world.outcome(world.node.publish("room:1", "message", number));
  }
  const { epoch } = await world.outcome(world.node.publish("room:1", "message", 31));
  const room = world.client("ada").channel("room:1");
  const page = await world.outcome(room.read({ after: { epoch, offset: 1, id: null }, limit: 2 }));
  expect(page.publications.map(({ data }) => data)).toEqual([22, 23]);
  expect(page.gap).toMatchObject({ reason: "trimmed", lost: 20, from: { offset: 1 } });
});

test("[AUTH-9] a node that stood still until after a token's end delivers nothing more", async () => {
  const clock = new SimulatedClock();
  const world = new World({
    clock,
    authenticate: (id) => ({ user: { id }, expiresAt: clock.now() + 5_000 }),
  });
  let late = 0;
  world.watch = {
    sent: () => undefined,
    written: (to, wire) =>
      void (to === world.links[0] && String(wire).includes("too late") && (late += 1)),
    flushed: () => undefined,
    closed: () => undefined,
    gone: () => undefined,
  };
  const follower = new Follower(world.client("ada").channel("room:1").subscribe());
  await world.outcome(follower.subscription.ready);
  const [host] = world.hosts;
  host?.device.sleep();
  await world.outcome(world.node.publish("room:1", "message", "too late"));
  await world.advance(20_000);
  host?.device.wake();
  await world.advance(1_000);
  expect(late).toBe(0);
  await world.until(() => follower.data.includes("too late"));
});
