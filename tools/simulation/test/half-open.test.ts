// A connection that is dead in one direction is noticed, replaced, and nothing is lost or doubled.
import { expect, test } from "vitest";
import { Follower, World } from "@tailwire/simulation";

const NUMBERS = Array.from({ length: 40 }, (_, index) => index + 1);

for (const direction of ["toServer", "toClient"] as const) {
  test(`[LIVE-1, LIVE-3] silence ${direction} under load loses nothing and doubles nothing`, async () => {
    const world = new World({ seed: 3 });
    const ada = world.client("ada");
    const bob = world.client("bob");
    const follower = new Follower(bob.channel("room:1").subscribe());
    await world.outcome(follower.subscription.ready);
    const bobsLink = world.link;
    const published: Promise<unknown>[] = [];
    for (const number of NUMBERS) {
      // Both directions of load go over Bob's link: his own publications, and everybody's to him.
      const client = number % 2 === 0 ? ada : bob;
      published.push(client.channel("room:1").publish("message", number));
      if (number === 20) bobsLink.silence(direction);
      await world.advance(15);
    }
    await world.outcome(Promise.all(published), 300_000);
    await world.until(() => follower.publications.length === NUMBERS.length, 300_000);
    expect(follower.violations).toEqual([]);
    expect(follower.gaps).toEqual([]);
    expect([...follower.data].toSorted((a, b) => Number(a) - Number(b))).toEqual(NUMBERS);
    expect(follower.data.filter((data) => Number(data) % 2 === 1)).toEqual(
      NUMBERS.filter((number) => number % 2 === 1),
    );
    // The server lets go of the dead one too.
    await world.advance(120_000);
    expect(world.node.connections).toBe(2);
  });
}

test("[LIVE-1] a client that says nothing is pinged, and dropped after the missed pings", async () => {
  const world = new World();
  const bob = world.client("bob");
  const subscription = bob.channel("room:1").subscribe();
  await world.outcome(subscription.ready);
  world.unreachable = true;
  world.link.silence("toServer");
  expect(world.node.connections).toBe(1);
  const { pingIntervalMs, pongTimeoutMs, missedPongsMax, closeTimeoutMs } = world.limits;
  await world.advance(pingIntervalMs * missedPongsMax + pongTimeoutMs + closeTimeoutMs + 1_000);
  expect(world.node.connections).toBe(0);
});

test("[LIVE-2] an idle connection stays up for hours", async () => {
  const world = new World();
  const bob = world.client("bob");
  await world.outcome(bob.channel("room:1").subscribe().ready);
  await world.advance(6 * 3_600_000);
  expect(bob.status.state).toBe("connected");
  expect(world.links).toHaveLength(1);
});
