// The client's side of pages, snapshots, and subscriptions that the server began.
import { expect, test } from "vitest";
import type { Page, Position } from "@tailwire/client";
import type { SnapshotHook } from "@tailwire/server/core";
import { Follower, World } from "@tailwire/simulation";

async function worldWith(count: number, snapshot?: SnapshotHook): Promise<World> {
  const hook = snapshot === undefined ? {} : { snapshot };
  const world = new World({ channels: { "room:{id}": { retention: { count: 20 }, ...hook } } });
  for (let number = 1; number <= count; number += 1) {
    await world.outcome(world.node.publish("room:1", "message", number));
  }
  return world;
}

function positionAt({ publications }: Page, index: number): Position {
  const publication = publications.at(index);
  if (publication === undefined) throw new Error("the page is empty");
  return publication.position;
}

test("[READ-1, READ-2] the whole log is read page by page, from either end", async () => {
  const world = await worldWith(10);
  const room = world.client("ada").channel("room:1");
  const forth: unknown[] = [];
  let page = await world.outcome(room.read({ limit: 1 }));
  expect(page).toMatchObject({ more: true, gap: null });
  const back: unknown[] = page.publications.map(({ data }) => data);
  while (page.more) {
    page = await world.outcome(room.read({ before: positionAt(page, 0), limit: 4 }));
    back.unshift(...page.publications.map(({ data }) => data));
  }
  let after = positionAt(page, 0);
  for (let more = true; more;) {
    const next = await world.outcome(room.read({ after, limit: 4 }));
    forth.push(...next.publications.map(({ data }) => data));
    after = positionAt(next, -1);
    more = next.more;
  }
  expect(back).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(forth).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("[READ-1] a page that was asked for offline, or whose answer was lost, is read all the same", async () => {
  const world = await worldWith(3);
  const ada = world.client("ada");
  ada.goOffline();
  const early = ada.channel("room:1").read();
  await world.advance(2_000);
  let cuts = 0;
  world.tap = (direction, text) => {
    if (direction === "toClient" && text.includes('"publications"') && cuts === 0) {
      cuts += 1;
      return "cut before";
    }
    return "arrives";
  };
  ada.goOnline();
  const page = await world.outcome(early);
  expect(page.publications.map(({ data }) => data)).toEqual([1, 2, 3]);
  expect(cuts).toBe(1);
});

test("[READ-3] a page from a place that was trimmed says how much is missing", async () => {
  const world = await worldWith(1);
  const room = world.client("ada").channel("room:1");
  const first = positionAt(await world.outcome(room.read()), 0);
  for (let number = 2; number <= 30; number += 1) {
    await world.outcome(world.node.publish("room:1", "message", number));
  }
  const page = await world.outcome(room.read({ after: first, limit: 2 }));
  expect(page.publications.map(({ data }) => data)).toEqual([11, 12]);
  expect(page.gap).toMatchObject({ reason: "trimmed", lost: 9, from: first });
});

test("[READ-1] bytes come out of a page as they went in", async () => {
  const world = await worldWith(0);
  const room = world.client("ada").channel("room:1");
  const bytes = Uint8Array.from([0, 1, 254, 255]);
  await world.outcome(room.publish("drawn", bytes));
  const page = await world.outcome(room.read());
  expect(page.publications[0]?.data).toEqual(bytes);
});

test("[STATE-1, STATE-2] who begins with latest is handed the state, then what follows it", async () => {
  const world = await worldWith(5, ({ position }) => ({ data: { sum: position.offset } }));
  const subscription = world.client("ada").channel("room:1").subscribe();
  const told: unknown[] = [];
  subscription.onSnapshot(({ data, position }) => told.push([data, position.offset]));
  const follower = new Follower(subscription);
  await world.until(() => follower.caughtUps === 1);
  await world.outcome(world.node.publish("room:1", "message", 6));
  await world.until(() => follower.publications.length === 1);
  expect(told).toEqual([[{ sum: 5 }, 5]]);
  expect(follower.data).toEqual([6]);
});

test("[STATE-3] after a gap the state comes again, and nothing between it and the tail is missed", async () => {
  let late = Promise.resolve();
  const world = await worldWith(2, async ({ position }) => {
    await late;
    return { data: position.offset };
  });
  const ada = world.client("ada");
  const subscription = ada.channel("room:1").subscribe();
  const states: unknown[] = [];
  subscription.onSnapshot(({ data }) => states.push(data));
  const follower = new Follower(subscription);
  await world.until(() => follower.caughtUps === 1);
  ada.goOffline();
  for (let number = 3; number <= 40; number += 1) {
    await world.outcome(world.node.publish("room:1", "message", number));
  }
  // While the application computes, publications go on.
  late = new Promise((resolve) => world.clock.after(300, resolve));
  ada.goOnline();
  await world.advance(200);
  await world.outcome(world.node.publish("room:1", "message", 41));
  await world.until(() => follower.caughtUps === 2);
  expect(states).toEqual([2, 40]);
  expect(follower.gaps).toMatchObject([{ reason: "trimmed", continuesAfter: { offset: 40 } }]);
  expect(follower.data).toEqual([41]);
  expect(follower.violations).toEqual([]);
});

test("[STATE-3] the state behind a gap comes though the application subscribes on hearing of the gap", async () => {
  const world = await worldWith(2, ({ position }) => ({ data: position.offset }));
  const ada = world.client("ada");
  const room = ada.channel("room:1");
  const subscription = room.subscribe();
  const states: unknown[] = [];
  const others: Follower[] = [];
  subscription.onSnapshot(({ data }) => states.push(data));
  subscription.onGap(() => others.push(new Follower(room.subscribe({ start: "earliest" }))));
  const follower = new Follower(subscription);
  await world.until(() => follower.caughtUps === 1);
  ada.goOffline();
  for (let number = 3; number <= 40; number += 1) {
    await world.outcome(world.node.publish("room:1", "message", number));
  }
  ada.goOnline();
  await world.until(() => others[0]?.caughtUps === 1);
  expect(states).toEqual([2, 40]);
  expect(others[0]?.publications.length).toBe(20);
});

test("[STATE-4] a state that can't be had for a while is waited for", async () => {
  let works = false;
  const world = await worldWith(3, ({ position }) => {
    if (!works) throw new Error("the database is down");
    return { data: position.offset };
  });
  const subscription = world.client("ada").channel("room:1").subscribe();
  const states: unknown[] = [];
  subscription.onSnapshot(({ data }) => states.push(data));
  await world.advance(5_000);
  expect(states).toEqual([]);
  works = true;
  await world.until(() => states.length > 0);
  expect(states).toEqual([3]);
});

test("[STATE-2] a second subscription of the client gets the state too, and the first misses nothing", async () => {
  const world = await worldWith(3, ({ position }) => ({ data: position.offset }));
  const room = world.client("ada").channel("room:1");
  const first = new Follower(room.subscribe());
  await world.until(() => first.caughtUps === 1);
  await world.outcome(world.node.publish("room:1", "message", 4));
  const subscription = room.subscribe();
  const states: unknown[] = [];
  subscription.onSnapshot(({ data }) => states.push(data));
  const second = new Follower(subscription);
  await world.until(() => states.length > 0);
  await world.outcome(world.node.publish("room:1", "message", 5));
  await world.until(() => second.publications.length > 0 && first.publications.length > 1);
  expect([states, first.data, second.data]).toEqual([[4], [4, 5], [5]]);
  expect([...first.violations, ...second.violations]).toEqual([]);
});

test("[SUB-10] a subscription that the server begins is handed over, and goes on after a reconnect", async () => {
  const world = await worldWith(2);
  const ada = world.client("ada");
  const followers: Follower[] = [];
  ada.onSubscribed(({ channel, subscription }) => {
    expect(channel.name).toBe("room:1");
    followers.push(new Follower(subscription));
  });
  ada.channel("room:2").subscribe();
  await world.until(() => ada.status.state === "connected");
  world.node.subscribe("ada", "room:1");
  await world.until(() => followers.length === 1);
  await world.outcome(world.node.publish("room:1", "message", 3));
  world.link.cut();
  await world.outcome(world.node.publish("room:1", "message", 4));
  await world.until(() => followers[0]?.publications.length === 2);
  expect(followers[0]?.data).toEqual([3, 4]);
  world.node.unsubscribe("ada", "room:1");
  await world.until(() => followers[0]?.ended !== undefined);
  expect(followers[0]?.ended).toBe("removed");
});

test("[SUB-10] a subscription that the server begins outlives an unsubscribe of the one before", async () => {
  const world = await worldWith(1);
  const ada = world.client("ada");
  const followers: Follower[] = [];
  ada.onSubscribed(({ subscription }) => followers.push(new Follower(subscription)));
  const own = ada.channel("room:1").subscribe();
  await world.outcome(own.ready);
  // They cross on their way: the client's word is about the one that the server has ended already.
  void own.close();
  world.node.unsubscribe("ada", "room:1");
  world.node.subscribe("ada", "room:1");
  await world.until(() => followers.length === 1);
  await world.advance(1_000);
  await world.outcome(world.node.publish("room:1", "message", 2));
  await world.until(() => followers[0]?.publications.length === 1);
  expect(followers[0]?.data).toEqual([2]);
});

test("[SUB-10] what nobody wants that the server began is ended, and what was asked for stays", async () => {
  const world = await worldWith(1);
  const ada = world.client("ada");
  const follower = new Follower(ada.channel("room:1").subscribe({ start: "earliest" }));
  await world.until(() => follower.caughtUps === 1);
  world.node.subscribe("ada", "room:1");
  world.node.subscribe("ada", "room:2");
  await world.advance(1_000);
  const [connection] = world.links.flatMap(({ connection: one }) => one ?? []);
  expect(connection?.subscriptions.channels()).toEqual(["room:1"]);
});

test("[CLOSE-6] a publication that makes the server close is sent alone after two closes, then rejected", async () => {
  const world = await worldWith(0);
  const ada = world.client("ada");
  const room = ada.channel("room:1");
  await world.outcome(room.publish("message", "before"));
  world.tap = (direction, text, link) => {
    if (direction === "toServer" && text.includes("poison")) link.connection?.close("too_large");
    return "arrives";
  };
  const outcomes = await world.outcome(
    Promise.allSettled(["a", "poison", "b"].map((data) => room.publish("message", data))),
    400_000,
  );
  expect(
    outcomes.map((one) =>
      one.status === "fulfilled" ? "published" : (one.reason as { code: string }).code,
    ),
  ).toEqual(["published", "too_large", "published"]);
  world.tap = () => "arrives";
  const follower = new Follower(room.subscribe({ start: "earliest" }));
  await world.until(() => follower.caughtUps === 1);
  expect(follower.data).toEqual(["before", "a", "b"]);
});
