// A message that is larger than the server takes is rejected, and all others go on.
import { describe, expect, test } from "vitest";
import { type ClientCodec, jsonClientCodec } from "@tailwire/protocol";
import { msgpackCodec } from "@tailwire/protocol/msgpack";
import type { Client } from "@tailwire/client/core";
import { World } from "@tailwire/simulation";

const LIMIT = 2_048;

const CODECS: readonly (readonly [string, ClientCodec])[] = [
  ["JSON", jsonClientCodec],
  ["MessagePack", msgpackCodec],
];

/** A client that knows the limit and the room's epoch, and the largest message that was sent. */
async function stage(codec: ClientCodec, messageBytesMax = LIMIT) {
  const world: World = new World({
    limits: { messageBytesMax },
    application: {
      requests: new Map<string, (input: unknown) => unknown>([
        ["echo", (input) => input],
        [
          "slow",
          () => new Promise((resolve) => void world.clock.after(500, () => resolve("done"))),
        ],
      ]),
    },
  });
  const client = world.client("ada", { codec });
  const room = client.channel("room:1");
  await world.outcome(room.subscribe().ready);
  const largest = { bytes: 0 };
  /** The link's fate at the next publish. */
  const plan: { fate: "cut after" | "arrives" } = { fate: "arrives" };
  world.tap = (direction, text) => {
    if (direction === "toClient") return "arrives";
    const bytes = Buffer.byteLength(text, text.startsWith("{") ? "utf8" : "latin1");
    largest.bytes = Math.max(largest.bytes, bytes);
    if (!text.includes("publish")) return "arrives";
    const { fate } = plan;
    plan.fate = "arrives";
    return fate;
  };
  return { world, client, room, largest, plan };
}

async function codeOf(world: World, promise: Promise<unknown>): Promise<string> {
  return world.outcome(
    promise.then(
      () => "done",
      (error: { code: string }) => error.code,
    ),
    400_000,
  );
}

describe.each(CODECS)("in %s", (_name, codec) => {
  test.each([
    ["letters", "x"],
    ["characters of three bytes", "€"],
    ["characters that JSON escapes", "\n"],
  ])(
    "[PUB-4] what is taken of %s can be repeated, whatever its size",
    async (_what, character) => {
      const { world, room, largest, plan } = await stage(codec);
      const step = Buffer.byteLength(JSON.stringify(character)) - 2;
      const outcomes: string[] = [];
      for (let bytes = LIMIT - 360; bytes <= LIMIT; bytes += step) {
        plan.fate = "cut after";
        const data = character.repeat(bytes / step);
        outcomes.push(await codeOf(world, room.publish("message", data)));
      }
      const edge = outcomes.indexOf("too_large");
      expect(edge).toBeGreaterThan(0);
      expect(new Set(outcomes.slice(0, edge))).toEqual(new Set(["done"]));
      expect(new Set(outcomes.slice(edge))).toEqual(new Set(["too_large"]));
      // It was repeated with its age and its epoch, and room for that is all that was kept.
      expect(largest.bytes).toBeGreaterThan(LIMIT - 100);
      expect(largest.bytes).toBeLessThanOrEqual(LIMIT);
      const { publications } = await world.outcome(room.read({ limit: 1_000 }));
      expect(publications.length).toBeGreaterThan(0);
    },
    60_000,
  );

  const long = "x".repeat(LIMIT);
  const tooLarge: readonly (readonly [string, (client: Client) => Promise<unknown>])[] = [
    ["a publication", (client) => client.channel("room:1").publish("message", long)],
    ["bytes", (client) => client.channel("room:1").publish("message", new Uint8Array(LIMIT))],
    ["a request", (client) => client.request("echo", long)],
    ["a request of many small parts", (client) => client.request("echo", Array(LIMIT).fill(1))],
  ];
  test.each(tooLarge)(
    "%s that is too large is told so at once, and costs nobody else",
    async (_what, ask) => {
      const { world, client, largest } = await stage(codec);
      const others = [client.request("slow"), client.channel("room:1").publish("message", 1)];
      const told: string[] = [];
      ask(client).catch((error: { code: string }) => told.push(error.code));
      const after = client.request("echo", "small");
      await world.advance(0);
      expect(told).toEqual(["too_large"]);
      await world.outcome(Promise.all(others));
      expect(await world.outcome(after)).toBe("small");
      expect(world.links).toHaveLength(1);
      expect(largest.bytes).toBeLessThanOrEqual(LIMIT);
    },
  );

  test("a subscribe and a page that are too large end with that, and the next ones are served", async () => {
    // As small as it takes: what can be said of a channel is shorter than any limit that makes sense.
    const { world, client, largest } = await stage(codec, 300);
    const id = "x".repeat(128);
    const far = { epoch: "e".repeat(64), offset: 1, id };
    const room = client.channel(`room:${"7".repeat(190)}`);
    const subscription = room.subscribe({ start: far });
    const ended: (string | undefined)[] = [];
    subscription.onEnd((error) => ended.push(error?.code));
    expect(await codeOf(world, subscription.ready)).toBe("too_large");
    expect(await codeOf(world, room.read({ after: far }))).toBe("too_large");
    expect(ended).toEqual(["too_large"]);
    expect(await codeOf(world, room.subscribe().ready)).toBe("done");
    expect(world.links).toHaveLength(1);
    expect(largest.bytes).toBeLessThanOrEqual(300);
  });

  test("[ENC-7] a server that takes less than the one before is never sent more than it takes", async () => {
    const { world, client, room, plan } = await stage(codec, 65_536);
    plan.fate = "cut after";
    const sent = codeOf(world, room.publish("message", "x".repeat(40_000)));
    await world.until(() => plan.fate === "arrives");
    // Made while the limit was the old one, and not sent: there is no connection.
    const waiting = codeOf(world, room.publish("message", "x".repeat(30_000)));
    const asked = codeOf(world, client.request("echo", "x".repeat(30_000)));
    const small = codeOf(world, room.publish("message", "small"));
    const large: number[] = [];
    world.tap = (direction, text) => {
      if (direction === "toServer" && text.length > 20_000) large.push(text.length);
      return "arrives";
    };
    Object.assign(world.limits, { messageBytesMax: 20_000 });
    world.crash();
    // `sent` may be in the former node's log. The large ones behind it certainly aren't.
    expect(await Promise.all([sent, waiting, asked, small])).toEqual([
      "indeterminate",
      "too_large",
      "too_large",
      "done",
    ]);
    expect(large).toEqual([]);
    expect(world.links).toHaveLength(2);
  });
});

test("[AUTH-8] a fresh token that is too large isn't sent, and is asked for again", async () => {
  const world: World = new World({
    limits: { messageBytesMax: 4_096 },
    authenticate: () => ({ user: { id: "ada" }, expiresAt: world.clock.now() + 600_000 }),
  });
  let asked = 0;
  const getToken = (): string => {
    asked += 1;
    return asked < 2 ? "ada" : "x".repeat(asked < 4 ? 5_000 : 10);
  };
  const client = world.client("ada", { getToken });
  await world.outcome(client.channel("room:1").subscribe().ready);
  await world.advance(20 * 60_000);
  expect(world.links).toHaveLength(1);
  expect(asked).toBeGreaterThan(4);
});

test("what doesn't fit before welcome waits for it, and is told then", async () => {
  const { world, client } = await stage(jsonClientCodec);
  client.goOffline();
  const asked = codeOf(world, client.request("echo", "x".repeat(100_000)));
  await world.advance(1_000);
  client.goOnline();
  expect(await asked).toBe("too_large");
  expect(world.links).toHaveLength(2);
});
