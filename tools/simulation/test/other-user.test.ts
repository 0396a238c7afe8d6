// A client whose next token is another user's: as that user, it would publish everything once more.
import { expect, test } from "vitest";
import { World } from "@tailwire/simulation";

test("[AUTH-8] a reconnect as another user ends the client, and nothing is published twice", async () => {
  const world = new World({ seed: 1 });
  let user = "ada";
  const client = world.client("ada", { getToken: () => user });
  const room = client.channel("room:1");
  await world.outcome(room.publish("said", "first"));
  // It reaches the log, and its acknowledgement is lost with the connection.
  const sent = room.publish("said", "second");
  await world.advance(15);
  world.link.cut();
  user = "bob";
  const behind = room.publish("said", "third");
  const outcomes = Promise.allSettled([sent, behind]);
  await world.until(() => client.status.state === "closed", 60_000);
  expect(client.status.reason).toBe("identity_changed");
  expect(await outcomes).toMatchObject([
    { status: "rejected", reason: { code: "indeterminate" } },
    // It went out together with hello, and nobody has said what became of it.
    { status: "rejected", reason: { code: "indeterminate" } },
  ]);
  const page = world.client("carol").channel("room:1").read();
  await world.advance(2_000);
  expect((await page).publications.map(({ data }) => data)).toEqual(["first", "second"]);
});
