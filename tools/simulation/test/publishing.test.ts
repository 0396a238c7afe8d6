// Exactly-once publishing, or the truth: acks, repeats, and what nobody can know.
import { expect, test } from "vitest";
import { Follower, World } from "@tailwire/simulation";
import { slowAppends } from "./slow-appends.ts";

/** A promise's outcome: "resolved", or the code it was rejected with. */
async function outcomeOf(
  world: World,
  promise: Promise<unknown>,
  withinMs = 400_000,
): Promise<string> {
  return world.outcome(
    promise.then(
      () => "resolved",
      (error: { code: string }) => error.code,
    ),
    withinMs,
  );
}

/** Cuts the link right after the first publish has arrived, or right before. */
function cutAtPublish(world: World, fate: "cut before" | "cut after"): void {
  world.tap = (_direction, text) => {
    if (!text.includes('"type":"publish"')) return "arrives";
    world.tap = () => "arrives";
    return fate;
  };
}

test("[PUB-4] a publication whose ack was lost is in the log once, and its ack names the first place", async () => {
  const world = new World();
  const ada = world.client("ada");
  cutAtPublish(world, "cut after");
  const published = ada.channel("room:1").publish("message", "once");
  const { position } = await world.outcome(published);
  expect(position.offset).toBe(1);
  const follower = new Follower(ada.channel("room:1").subscribe({ start: "earliest" }));
  await world.until(() => follower.caughtUps === 1);
  expect(follower.data).toEqual(["once"]);
});

test("[PUB-5] a node that lost its memory answers indeterminate for what may have been in it", async () => {
  const world = new World();
  const ada = world.client("ada");
  await world.outcome(ada.channel("room:1").publish("message", "kept"));
  cutAtPublish(world, "cut after");
  const doubtful = ada.channel("room:1").publish("message", "doubtful");
  await world.advance(50);
  world.crash();
  expect(await outcomeOf(world, doubtful)).toBe("indeterminate");
});

test("[PUB-5] without a known epoch too: the node is younger than the first send", async () => {
  const world = new World();
  const ada = world.client("ada");
  cutAtPublish(world, "cut before");
  const doubtful = ada.channel("room:1").publish("message", "never seen by the first node");
  await world.advance(50);
  world.crash();
  expect(await outcomeOf(world, doubtful)).toBe("indeterminate");
});

test("[PUB-5] what was never sent is appended however late it comes", async () => {
  const world = new World();
  const ada = world.client("ada");
  ada.goOffline();
  const late = ada.channel("room:1").publish("message", "late");
  await world.advance(10 * 60_000);
  world.crash();
  ada.goOnline();
  expect(await outcomeOf(world, late)).toBe("resolved");
});

test("[PUB-6] a repeat is not sent once its id may be forgotten: nobody knows", async () => {
  const world = new World();
  const ada = world.client("ada");
  cutAtPublish(world, "cut after");
  const doubtful = ada.channel("room:1").publish("message", "doubtful");
  await world.advance(40);
  world.unreachable = true;
  await world.advance(world.limits.dedupeMs - world.limits.appendMs);
  world.unreachable = false;
  expect(await outcomeOf(world, doubtful)).toBe("indeterminate");
});

test("[PUB-6] a clock that was set back counts as time that has passed", async () => {
  const world = new World();
  const ada = world.client("ada");
  cutAtPublish(world, "cut after");
  const doubtful = ada.channel("room:1").publish("message", "doubtful");
  await world.until(() => world.link.connection?.state === "closed");
  world.clock.jump(-60_000);
  expect(await outcomeOf(world, doubtful)).toBe("indeterminate");
});

test("[PUB-7] a connection that was superseded can't append any more", async () => {
  const world = new World();
  const ada = world.client("ada");
  await world.outcome(ada.channel("room:1").publish("message", 1));
  const old = world.link.connection;
  world.link.silence("toClient");
  ada.goOffline();
  ada.goOnline();
  await world.outcome(ada.channel("room:1").publish("message", 2));
  const answers: string[] = [];
  world.tap = (_direction, text) => {
    answers.push(text);
    return "arrives";
  };
  // The zombie wakes and says what it had in hand.
  old?.input.receive(
    '{"type":"publish","id":"zombie.1","timestamp":1,"channel":"room:1","event":"message","sequence":9,"settled":8,"data":3}\n',
  );
  const follower = new Follower(ada.channel("room:1").subscribe({ start: "earliest" }));
  await world.until(() => follower.caughtUps === 1);
  expect(follower.data).toEqual([1, 2]);
});

test("[PUB-8, PUB-9] a client's publications appear in the order in which they were made", async () => {
  const world = new World({ seed: 11 });
  const ada = world.client("ada");
  let messages = 0;
  world.tap = () => {
    messages += 1;
    return messages % 9 === 0 && messages < 100 ? "cut after" : "arrives";
  };
  const published: Promise<{ position: { offset: number } }>[] = [];
  for (let number = 1; number <= 100; number += 1) {
    published.push(ada.channel("room:1").publish("message", number));
    if (number % 3 === 0) await world.advance(11);
  }
  const results = await world.outcome(Promise.all(published), 3_600_000);
  expect(results.map(({ position }) => position.offset)).toEqual(
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
});

test("[PUB-11] a publish is acknowledged by its own publication too, whichever comes first", async () => {
  const world: World = new World({
    wrapBroker: (broker) => slowAppends(broker, () => world.clock),
  });
  const ada = world.client("ada");
  const follower = new Follower(ada.channel("room:1").subscribe());
  await world.outcome(follower.subscription.ready);
  await world.outcome(ada.channel("room:1").publish("message", 1), 1_000);
  expect(follower.data).toEqual([1]);
});

test("a publication is refused at once when it can't be sent", async () => {
  const world = new World();
  const ada = world.client("ada");
  const room = ada.channel("room:1");
  expect(await outcomeOf(world, room.publish("message", undefined))).toBe("invalid_data");
  expect(await outcomeOf(world, room.publish("message", 1n))).toBe("invalid_data");
  expect(await outcomeOf(world, room.publish("message", "x".repeat(70_000)))).toBe("too_large");
  expect(await outcomeOf(world, room.publish("not an event", 1))).toBe("bad_message");
  expect(await outcomeOf(world, ada.channel("elsewhere").publish("message", 1))).toBe("forbidden");
  expect(() => ada.channel("room:{id}", { id: "a:b" })).toThrow("bad_channel");
  expect(() => ada.channel("room:{id}", { id: "" })).toThrow("bad_channel");
  ada.goOffline();
  const waiting = Array.from({ length: 10_000 }, (_, index) => room.publish("message", index));
  expect(await outcomeOf(world, room.publish("message", 1))).toBe("outbox_full");
  const closed = Promise.allSettled(waiting);
  await ada.close();
  const codes = (await closed).map(
    (result) => (result as { reason: { code: string } }).reason.code,
  );
  expect(new Set(codes)).toEqual(new Set(["closed"]));
  expect(await outcomeOf(world, room.publish("message", 1))).toBe("closed");
});

test("an abort takes back what is unsent, and ends the wait for what is sent", async () => {
  const world = new World();
  const ada = world.client("ada");
  const room = ada.channel("room:1");
  ada.goOffline();
  const unsent = new AbortController();
  const first = room.publish("message", "unsent", { signal: unsent.signal });
  unsent.abort(new Error("changed my mind"));
  await expect(first).rejects.toThrow("changed my mind");
  expect(ada.status.pending).toBe(0);
  ada.goOnline();
  const sent = new AbortController();
  world.tap = (_direction, text) => {
    if (text.includes('"type":"publish"')) sent.abort(new Error("too late"));
    return "arrives";
  };
  const second = room.publish("message", "sent", { signal: sent.signal });
  await expect(world.outcome(second)).rejects.toThrow("too late");
  const follower = new Follower(room.subscribe({ start: "earliest" }));
  await world.until(() => follower.caughtUps === 1);
  expect(follower.data).toEqual(["sent"]);
});

test("[PUB-5] what a repeat was on its way for counts as its age: a younger broker isn't fooled", async () => {
  // First sent to the old node at 30 ms, appended there, and the ack lost. The new node is 200 ms
  // younger; its repeat says an age that is less than that, and arrives late.
  const world = new World({ delayMs: 10 });
  const ada = world.client("ada");
  cutAtPublish(world, "cut after");
  const doubtful = ada.channel("room:1").publish("message", "once");
  await world.until(() => world.link.connection?.state === "closed");
  await world.advance(200);
  world.hosts[0]?.start();
  world.tap = (direction, text, link) => {
    const repeat = direction === "toServer" && text.includes('"repeat"');
    if (repeat) link.connection?.input.receive(text.replace(/"ageMs":\d+/, '"ageMs":1'));
    return repeat ? "cut after" : "arrives";
  };
  expect(await outcomeOf(world, doubtful)).toBe("indeterminate");
});

test("[PUB-5] a repeat that waits for welcome says its age at the time of writing", async () => {
  const world = new World();
  await world.advance(60_000);
  const ada = world.client("ada");
  cutAtPublish(world, "cut before");
  const big = ada.channel("room:1").publish("message", "x".repeat(20_000));
  await world.until(() => world.links.length === 1 && world.link.connection?.state === "closed");
  const ages: number[] = [];
  let welcomed = 0;
  world.tap = (direction, text, link) => {
    const age = /"ageMs":(\d+)/.exec(text)?.[1];
    if (age !== undefined) ages.push(Number(age) - (world.clock.monotonic() - 60_000));
    // The welcome that it has to wait for is 5 s late.
    if (direction === "toClient" && text.includes('"welcome"')) welcomed += 1;
    if (direction === "toServer" && welcomed === 0) link.hold("toClient", 5_000);
    return "arrives";
  };
  await world.outcome(big);
  // Sent first at about 40 ms, and 10 ms on its way: the age it says is what the clock says.
  expect(ages).toHaveLength(1);
  expect(Math.abs(ages[0] ?? 0)).toBeLessThan(100);
});

test("a server's own publication is checked as a client's is", async () => {
  const world = new World();
  await expect(world.node.publish("room:1", "has space", 1)).rejects.toMatchObject({
    code: "bad_message",
  });
  await expect(world.node.publish("room:1", "m", undefined)).rejects.toMatchObject({
    code: "invalid_data",
  });
  await expect(world.node.publish("room:1", "m", "é".repeat(40_000))).rejects.toMatchObject({
    code: "too_large",
  });
  await expect(world.node.publish("elsewhere", "m", 1)).rejects.toMatchObject({
    code: "forbidden",
  });
});

test("[PUB-5] a repeat that isn't allowed any more may be in the log: nobody says that it isn't", async () => {
  let allowed = true;
  const world = new World({ application: { authorize: () => allowed } });
  const ada = world.client("ada");
  cutAtPublish(world, "cut after");
  const doubtful = ada.channel("room:1").publish("message", "it is there");
  await world.until(() => world.link.connection?.state === "closed");
  allowed = false;
  expect(await outcomeOf(world, doubtful)).toBe("indeterminate");
  expect(await outcomeOf(world, ada.channel("room:1").publish("message", "no"))).toBe("forbidden");
});

test("[PUB-14] what was refused for good can't come behind what was sent after it", async () => {
  let isRefused = true;
  const onPublish = ({ data }: { data: unknown }): unknown => {
    if (isRefused && data === "first") throw new TypeError("not today");
    return data;
  };
  const world = new World({ channels: { "room:1": { onPublish } } });
  const ada = world.client("ada");
  const room = ada.channel("room:1");
  // The answers to both are lost; by then the second is in the log.
  world.tap = (direction, text) => {
    if (direction === "toServer" || !text.includes('"code":"internal"')) return "arrives";
    world.tap = () => "arrives";
    isRefused = false;
    return "cut before";
  };
  const [first, second] = [room.publish("message", "first"), room.publish("message", "second")];
  expect(await outcomeOf(world, first)).toBe("overtaken");
  expect((await world.outcome(second)).position.offset).toBe(1);
  const follower = new Follower(room.subscribe({ start: "earliest" }));
  await world.until(() => follower.caughtUps === 1);
  expect(follower.data).toEqual(["second"]);
});

/** Publications as they arrive at the server: data, `settled`, and whether it comes again. */
function watchPublishes(world: World): string[] {
  const seen: string[] = [];
  world.tap = (direction, text) => {
    if (direction === "toClient") return "arrives";
    for (const line of text.split("\n")) {
      if (!line.startsWith('{"type":"publish"')) continue;
      const { data, settled, repeat } = JSON.parse(line) as Record<string, unknown>;
      seen.push(`${String(data)} above ${String(settled)}${repeat === undefined ? "" : " again"}`);
    }
    return "arrives";
  };
  return seen;
}

test("[PUB-15] above what is settled a window is sent, and the rest as the oldest are answered", async () => {
  const deciding: (() => void)[] = [];
  const onPublish = ({ data }: { data: unknown }): Promise<unknown> =>
    new Promise((resolve) => deciding.push(() => resolve(data)));
  const channels = { "room:{id}": { onPublish }, hall: {} };
  const world = new World({ limits: { window: 2 }, channels });
  const ada = world.client("ada");
  await world.outcome(ada.channel("hall").publish("message", 0));
  const seen = watchPublishes(world);
  const room = ada.channel("room:1");
  const all = [1, 2, 3, 4].map((data) => room.publish("message", data));
  const elsewhere = ada.channel("room:2").publish("message", 5);
  await world.advance(100);
  expect(seen).toEqual(["1 above 1", "2 above 1", "5 above 5"]);
  while (deciding.length > 0) {
    for (const decide of deciding.splice(0)) decide();
    await world.advance(100);
  }
  expect(seen.slice(3)).toEqual(["3 above 2", "4 above 3"]);
  for (const one of [...all, elsewhere]) expect(await outcomeOf(world, one)).toBe("resolved");
});

test("[PUB-15] one that is taken back before it was sent makes room for the next, in order", async () => {
  const world = new World({ limits: { window: 1 } });
  const ada = world.client("ada");
  const seen = watchPublishes(world);
  const room = ada.channel("room:1");
  const aborts = [new AbortController(), new AbortController()];
  const [first, second, third] = [0, 1, 2].map((index) =>
    room.publish("message", index, { signal: aborts[index]?.signal }),
  );
  for (const abort of aborts) abort.abort(new Error("no"));
  await expect(first).rejects.toThrow("no");
  await expect(second).rejects.toThrow("no");
  expect(await outcomeOf(world, third as Promise<unknown>)).toBe("resolved");
  expect(seen).toEqual(["2 above 2"]);
});

test("[PUB-15] a repeat says what is settled when it is written, not when it was first sent", async () => {
  const world = new World();
  const ada = world.client("ada");
  const room = ada.channel("room:1");
  await world.outcome(room.publish("message", 0));
  cutAtPublish(world, "cut after");
  const both = [1, 2].map((data) => room.publish("message", data));
  await world.until(() => world.link.connection?.state === "closed");
  const seen = watchPublishes(world);
  for (const one of both) expect(await outcomeOf(world, one)).toBe("resolved");
  expect(seen).toEqual(["1 above 1 again", "2 above 1 again"]);
  await world.outcome(room.publish("message", 3));
  expect(seen.at(-1)).toBe("3 above 3");
});
