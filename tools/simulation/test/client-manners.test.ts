// A client's manners towards what can't be had now: it asks again, and gives nothing up for it.
import { expect, test } from "vitest";
import { Follower, World } from "@tailwire/simulation";

test("[AUTH-9] a fresh token that can't be had is asked for again, and the connection goes on", async () => {
  let asked = 0;
  const world: World = new World({
    authenticate: (token) => ({ user: { id: token }, expiresAt: world.clock.now() + 60_000 }),
  });
  const bob = world.client("bob", {
    getToken: () => {
      asked += 1;
      if (asked % 3 !== 1) throw new Error("nobody signs tokens just now");
      return "bob";
    },
  });
  const follower = new Follower(bob.channel("room:1").subscribe());
  await world.outcome(follower.subscription.ready);
  await world.advance(10 * 60_000);
  await world.node.publish("room:1", "message", "still here");
  await world.until(() => follower.publications.length === 1);
  expect(world.links).toHaveLength(1);
});
