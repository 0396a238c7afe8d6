// A publication that is sent again before the answer to its first copy is here.
import { tailwireError } from "@tailwire/protocol";
import { changed, World } from "@tailwire/simulation";
import { expect, test } from "vitest";

test("[PUB-5] a refusal of one copy says nothing of another that is under way", async () => {
  let refusals = 1;
  const world = new World({
    delayMs: 800,
    wrapBroker: (broker) =>
      changed(broker, (log) => {
        const append: typeof log.append = (batch) => {
          refusals -= 1;
          return refusals < 0 ? log.append(batch) : Promise.reject(tailwireError("unavailable"));
        };
        return { append };
      }),
  });
  const ada = world.client("ada");
  const heard: string[] = [];
  world.tap = (direction, text) => {
    if (direction === "toClient") heard.push(...(text.match(/"code":"\w+"/g) ?? []));
    return "arrives";
  };
  void ada
    .channel("room:1")
    .publish("message", "refused for now")
    .catch(() => undefined);
  await world.until(() => world.link.isUp);
  await world.advance(2_200);
  // It is held behind the first, which is sent again before this client hears so: and so is it.
  const second = ada.channel("room:1").publish("message", "held");
  const outcome = second.catch((error: { code: string }) => error.code);
  await world.until(() => heard.length === 2);
  expect(heard).toEqual(['"code":"unavailable"', '"code":"held"']);
  // By now both have been appended, and nobody has told.
  await world.advance(500);
  ada.goOffline();
  void ada.close();
  expect(await world.outcome(outcome)).toBe("indeterminate");
});
