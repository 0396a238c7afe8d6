// Cutting the connection at every point of a conversation loses nothing and doubles nothing.
import { expect, test } from "vitest";
import { Follower, type Tap, World } from "@tailwire/simulation";

/** The type of the first protocol message in a WebSocket message that is one of these, or null. */
function has(text: string, type: string): boolean {
  return text.split("\n").some((line) => line.includes(`"type":"${type}"`));
}

/** Cuts the link once, at the first message that a predicate names. */
function cutOnce(
  when: (direction: string, text: string) => boolean,
  fate: "cut before" | "cut after",
): Tap {
  let done = false;
  return (direction, text) => {
    if (done || !when(direction, text)) return "arrives";
    done = true;
    return fate;
  };
}

/** Ada publishes 1…n while Bob follows; the link is cut as `tap` says. Bob must see exactly 1…n. */
async function expectWhole(tap: Tap, n = 50): Promise<{ world: World; follower: Follower }> {
  const world = new World({ seed: 7 });
  const ada = world.client("ada");
  const bob = world.client("bob");
  world.tap = tap;
  const follower = new Follower(bob.channel("room:1").subscribe({ start: "earliest" }));
  const published: Promise<unknown>[] = [];
  for (let index = 1; index <= n; index += 1) {
    published.push(ada.channel("room:1").publish("message", index));
    await world.advance(7);
  }
  await world.outcome(Promise.all(published));
  await world.until(() => follower.publications.length >= n, 3_600_000);
  await world.advance(60_000);
  expect(follower.violations).toEqual([]);
  expect(follower.gaps).toEqual([]);
  expect(follower.data).toEqual(Array.from({ length: n }, (_, index) => index + 1));
  expect(world.errors).toEqual([]);
  return { world, follower };
}

const points: readonly [string, Tap][] = [
  ["before hello arrives", cutOnce((_, text) => has(text, "hello"), "cut before")],
  ["after hello arrived, before welcome", cutOnce((_, text) => has(text, "hello"), "cut after")],
  ["before welcome arrives", cutOnce((_, text) => has(text, "welcome"), "cut before")],
  [
    "between subscribe and its ack",
    cutOnce((direction, text) => direction === "toClient" && has(text, "ack"), "cut before"),
  ],
  [
    "after the subscribe's ack",
    cutOnce((direction, text) => direction === "toClient" && has(text, "ack"), "cut after"),
  ],
  ["before a publication arrives", cutOnce((_, text) => has(text, "publication"), "cut before")],
  ["after a publication arrived", cutOnce((_, text) => has(text, "publication"), "cut after")],
  [
    "with a publish in flight, before its append",
    cutOnce((_, text) => has(text, "publish"), "cut before"),
  ],
  ["after an append, before its ack", cutOnce((_, text) => has(text, "publish"), "cut after")],
];

for (const [point, tap] of points) {
  test(`[DEL-3] a cut ${point} loses nothing and doubles nothing`, async () => {
    await expectWhole(tap);
  });
}

test("[DEL-3] cuts faster than a resume takes lose nothing and double nothing", async () => {
  let cuts = 0;
  const { world } = await expectWhole((_direction, text, link) => {
    // Bob's resume never gets further than its first publications, and often not as far as that.
    if (cuts === 30 || link.connection?.access.user.id !== "bob") return "arrives";
    if (!has(text, cuts % 3 === 0 ? "welcome" : "publication")) return "arrives";
    cuts += 1;
    return cuts % 3 === 1 ? "cut after" : "cut before";
  });
  expect(world.links.length).toBeGreaterThan(20);
});
