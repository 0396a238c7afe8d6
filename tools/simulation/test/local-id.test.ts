// The id that a publication has at once, before anybody has answered, and again when it comes.
import { expect, test } from "vitest";
import { World } from "@tailwire/simulation";

test("[PUB-2] a publication comes back under the id that publish gave, to its own client only", async () => {
  const world = new World({ seed: 1 });
  const [ada, bob] = [world.client("ada"), world.client("bob")];
  const heard: Record<"ada" | "bob", unknown[]> = { ada: [], bob: [] };
  ada
    .channel("room:1")
    .subscribe()
    .on("said", (one) => void heard.ada.push([one.data, one.localId]));
  bob
    .channel("room:1")
    .subscribe()
    .on("said", (one) => void heard.bob.push([one.data, one.localId]));
  await world.until(() => ada.status.state === "connected" && bob.status.state === "connected");
  await world.advance(1_000);
  ada.goOffline();
  // There is no connection now, and one that comes later has to bring it.
  const sent = ada.channel("room:1").publish("said", 1);
  expect(sent.localId).toMatch(/^[!-~]{1,64}$/);
  ada.goOnline();
  await world.until(() => heard.ada.length === 1 && heard.bob.length === 1);
  expect(heard).toEqual({ ada: [[1, sent.localId]], bob: [[1, null]] });
  const page = ada.channel("room:1").read();
  await world.advance(1_000);
  const { publications } = await page;
  expect(publications).toMatchObject([{ localId: sent.localId }]);
  expect((await sent).position).toEqual(publications[0]?.position);
});
