// How a client's connection ends: by whom, with which code, and what is told to whoever waits.
import { expect, test } from "vitest";
import { World } from "@tailwire/simulation";

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
