// Data of applications, wherever they give it, arrives unchanged or is refused with an error.
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { Client } from "@tailwire/client/core";
import { type ErrorMessage, TailwireError } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import { Follower, World } from "@tailwire/simulation";

/** The data that all hooks of the server's application give. */
let given: unknown;

function worldThatGives(): World {
  return new World({
    channels: {
      "room:{id}": {},
      "changed:{id}": { onPublish: () => given },
      "state:{id}": { snapshot: () => ({ data: given }) },
    },
    application: { requests: new Map([["ask", (input) => (input === "give" ? given : input)]]) },
  });
}

/** Subscribes, and rejects with the first refusal: the client itself asks again and again. */
function subscribeRefused(world: World, ada: Client): Promise<never> {
  ada.channel("state:1").subscribe();
  return new Promise((_, reject) => {
    world.tap = (_direction, text) => {
      const refusal = text.split("\n").find((line) => line.includes('"type":"error"'));
      if (refusal !== undefined) reject(new TailwireError(JSON.parse(refusal) as ErrorMessage));
      return "arrives";
    };
  });
}

/** Every place where an application gives data, and what comes of it there when it is refused. */
const ENTRIES: readonly [string, string, (world: World, ada: Client) => Promise<unknown>][] = [
  [
    "a client's publish",
    "invalid_data",
    (_, ada) => ada.channel("room:1").publish("message", given),
  ],
  ["a request's input", "invalid_data", (_, ada) => ada.request("ask", given)],
  [
    "the server's publish",
    "invalid_data",
    (world) => world.node.publish("room:1", "message", given),
  ],
  ["a request's answer", "internal", (_, ada) => ada.request("ask", "give")],
  ["onPublish", "internal", (_, ada) => ada.channel("changed:1").publish("message", 1)],
  ["a snapshot", "snapshot_unavailable", subscribeRefused],
];

const UNFIT: readonly [string, unknown, string][] = [
  ["a Map within", { files: [1, new Map()] }, "data.files[1]: Map"],
  ["bytes within", { file: new Float32Array(2) }, "data.file: bytes"],
  ["NaN", { price: NaN }, "data.price: NaN"],
  ["a hole", [undefined], "data[0]: undefined"],
  ["a Response", new Response("x"), "data: Response"],
  ["another realm's Set", runInNewContext("({ a: new Set() })"), "data.a: Set"],
];

/** The words of every error that a client or the server's log was given. */
async function wordsOf(world: World, promise: Promise<unknown>): Promise<[unknown, string]> {
  const error = await world.outcome(
    promise.then(
      () => ({ code: "resolved", description: "" }),
      (reason: { code: string; description: string }) => reason,
    ),
  );
  const logged = world.errors.map((fields) => String((fields as { error: Error }).error));
  return [error.code, [error.description, ...logged].join("\n")];
}

describe.each(ENTRIES)("[ENC-12] %s", (_, code, give) => {
  test.each(UNFIT)("refuses %s, and says where", async (_name, value, words) => {
    given = value;
    const world = worldThatGives();
    const ada = world.client("ada");
    const [outcome, said] = await wordsOf(world, give(world, ada));
    expect(outcome).toBe(code);
    expect(said).toContain(words);
    // Nothing of it is in a log, and nobody's connection is over.
    for (const name of ["room:1", "changed:1"]) {
      expect((await world.outcome(ada.channel(name).read())).publications).toEqual([]);
    }
    expect(world.links.filter(({ isOver }) => isOver)).toEqual([]);
  });
});

test.each([
  ["JSON", {}],
  ["MessagePack", { codec: msgpackCodec }],
])(
  "[ENC-9] over %s, a buffer and every view of one arrive as the bytes that they show",
  async (_, options) => {
    const world = worldThatGives();
    const ada = world.client("ada", options);
    const room = new Follower(ada.channel("room:1").subscribe());
    const changed = new Follower(ada.channel("changed:1").subscribe());
    await world.outcome(Promise.all([room.subscription.ready, changed.subscription.ready]));
    const { buffer } = Uint8Array.of(1, 2, 3, 4, 5, 6);
    for (given of [buffer, new DataView(buffer), new Uint16Array(buffer), Buffer.from(buffer)]) {
      await world.outcome(ada.channel("room:1").publish("message", given));
      await world.outcome(world.node.publish("room:1", "message", given));
      await world.outcome(ada.channel("changed:1").publish("message", 0));
      const states: unknown[] = [];
      ada
        .channel("state:1")
        .subscribe()
        .onSnapshot(({ data }) => states.push(data));
      await world.until(
        () => states.length > 0 && room.data.length === 2 && changed.data.length === 1,
      );
      const all = [...states, ...room.publications.splice(0), ...changed.publications.splice(0)];
      for (const one of all) {
        const data = one instanceof Uint8Array ? one : (one as { data: unknown }).data;
        expect(data).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
      }
    }
  },
);
