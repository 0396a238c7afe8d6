// A server's answers to a client that writes the protocol by hand, message by message.
import { expect, test } from "vitest";
import type { Position } from "@tailwire/protocol";
import { changed, World } from "@tailwire/simulation";

interface Said {
  readonly type: string;
  readonly re?: string;
  readonly [field: string]: unknown;
}

/** A conversation by hand: `say` gives what the server has answered by then. */
class Conversation {
  readonly heard: Said[] = [];
  reading = true;
  readonly #world: World;
  readonly #connection: ReturnType<World["node"]["connect"]>;

  constructor(world: World, user = "ada", session = "0123456789abcdef", generation = 1) {
    this.#world = world;
    const nothing = (): void => undefined;
    const write = (frames: readonly Uint8Array[]): boolean => {
      for (const frame of frames) {
        for (const line of new TextDecoder().decode(frame).trimEnd().split("\n")) {
          this.heard.push(JSON.parse(line) as Said);
        }
      }
      return true;
    };
    const read = (reading: boolean) => (): void => {
      this.reading = reading;
    };
    const transport = {
      write,
      pause: read(false),
      resume: read(true),
      close: nothing,
      destroy: nothing,
    };
    this.#connection = world.node.connect(transport, { user: { id: user } });
    this.#connection.input.receive(
      `{"type":"hello","id":"h","timestamp":1,"session":"${session}","generation":${generation},"client":{"name":"x","version":"1"}}\n`,
    );
  }

  async say(...messages: readonly object[]): Promise<readonly Said[]> {
    const before = this.heard.length;
    const lines = messages.map((message) => JSON.stringify({ timestamp: 1, ...message }));
    this.#connection.input.receive(lines.join("\n"));
    await this.#world.advance(100);
    return this.heard.slice(before).filter(({ type }) => type !== "welcome");
  }

  /** The public id in `welcome`. */
  get client(): unknown {
    return this.heard[0]?.["client"];
  }
}

const subscribe = (id: string, channel: string, start: unknown = "latest"): object => ({
  type: "subscribe",
  id,
  channel,
  start,
});
let sequence = 0;
const publish = (id: string, channel: string, data: unknown): object => ({
  type: "publish",
  id,
  channel,
  event: "message",
  settled: sequence,
  sequence: (sequence += 1),
  data,
});

test("[PUB-1, PUB-2, SUB-1] a publication's ack names its position, and its id begins with its publisher", async () => {
  const talk = new Conversation(new World());
  const heard = await talk.say(subscribe("1", "room:1"), publish("2", "room:1", "x"));
  const position = { offset: 1, id: `${String(talk.client)}/2` };
  expect(heard.map(({ type }) => type).toSorted()).toEqual([
    "ack",
    "ack",
    "caughtup",
    "publication",
  ]);
  expect(heard.find(({ re }) => re === "2")).toMatchObject({ type: "ack", position });
  expect(heard.find(({ type }) => type === "publication")).toMatchObject({
    id: position.id,
    publisher: talk.client,
    offset: 1,
    data: "x",
  });
  expect(heard.findIndex(({ re }) => re === "1")).toBeLessThan(
    heard.findIndex(({ type }) => type === "publication"),
  );
});

test("[PUB-3] the public id is the same on every connection of a session, and another's for all else", async () => {
  const world = new World();
  const one = new Conversation(world);
  await one.say();
  const again = new Conversation(world, "ada", "0123456789abcdef", 2);
  const otherUser = new Conversation(world, "grace");
  const otherSession = new Conversation(world, "ada", "another-session-1");
  await otherSession.say();
  expect(again.client).toBe(one.client);
  expect(new Set([one.client, otherUser.client, otherSession.client]).size).toBe(3);
});

test("[MSG-2, MSG-3] every request has exactly one answer, which names it", async () => {
  const talk = new Conversation(new World());
  const requests = [
    subscribe("1", "room:1"),
    subscribe("2", "room:1"),
    subscribe("3", "no such channel"),
    subscribe("4", "elsewhere"),
    publish("5", "room:1", 1),
    publish("6", "elsewhere", 1),
    { type: "unsubscribe", id: "7", channel: "room:1" },
    { type: "unsubscribe", id: "8", channel: "room:1" },
    { type: "ping", id: "9" },
  ];
  const heard = await talk.say(...requests);
  const answers = heard
    .filter(({ re }) => re !== undefined)
    .map(({ re, type, code }) => [re, code ?? type]);
  expect(Object.fromEntries(answers as [string, string][])).toEqual({
    1: "ack",
    2: "already_subscribed",
    3: "bad_channel",
    4: "forbidden",
    5: "ack",
    6: "forbidden",
    7: "ack",
    8: "not_subscribed",
    9: "pong",
  });
  expect(answers).toHaveLength(requests.length);
});

test("[SUB-5, SUB-6, SUB-7] what is asked of one channel is carried out in the order in which it came", async () => {
  const talk = new Conversation(new World());
  const turns = Array.from({ length: 20 }, (_, turn) => [
    subscribe(`s${turn}`, "room:1"),
    publish(`p${turn}`, "room:1", turn),
    { type: "unsubscribe", id: `u${turn}`, channel: "room:1" },
  ]);
  const heard = await talk.say(...turns.flat());
  expect(heard.filter(({ type }) => type === "error")).toEqual([]);
  // Only answers follow the last unsubscribe's ack, and no publication comes twice.
  const after = heard.slice(heard.findIndex(({ re }) => re === "u19"));
  expect(new Set(after.map(({ type }) => type))).toEqual(new Set(["ack"]));
  const offsets = heard.filter(({ type }) => type === "publication").map(({ offset }) => offset);
  expect(new Set(offsets).size).toBe(offsets.length);
});

test("[SUB-8] a subscription too many is refused, and the others stay", async () => {
  const world = new World({ limits: { subscriptionsMax: 3 } });
  const talk = new Conversation(world);
  const heard = await talk.say(...["1", "2", "3", "4"].map((id) => subscribe(id, `room:${id}`)));
  expect(heard.find(({ re }) => re === "4")).toMatchObject({
    type: "error",
    code: "limit_exceeded",
  });
  await world.node.publish("room:3", "message", "still there");
  expect(await talk.say()).toMatchObject([{ type: "publication", channel: "room:3" }]);
});

test("[DEL-8] caughtup comes once per subscribe, and again after a gap", async () => {
  const world = new World({ channels: { "room:{id}": { retention: { count: 2 } } } });
  for (let number = 1; number <= 5; number += 1)
    await world.node.publish("room:1", "message", number);
  const { epoch } = await world.node.publish("room:1", "message", 6);
  const talk = new Conversation(world);
  const heard = await talk.say(subscribe("1", "room:1", { epoch, offset: 1, id: null }));
  expect(heard.map(({ type }) => type)).toEqual([
    "ack",
    "gap",
    "publication",
    "publication",
    "caughtup",
  ]);
  expect(heard[0]).toMatchObject({ recovered: false });
  expect(heard[1]).toMatchObject({ reason: "trimmed", lost: 3 });
  await world.node.publish("room:1", "message", 7);
  expect((await talk.say()).map(({ type }) => type)).toEqual(["publication"]);
});

test("[SUB-3] a gap that was announced comes, though the broker says otherwise when asked again", async () => {
  let reads = 0;
  const world = new World({
    channels: { "room:{id}": { retention: { count: 2 } } },
    wrapBroker: (broker) =>
      changed(broker, (log) => ({
        read: async (after, limit) => {
          const read = await log.read(after, limit);
          if (read.kind !== "gap") return read;
          reads += 1;
          const { gap, publications } = read;
          if (reads === 1) return read;
          return { kind: "publications", epoch: gap.continuesAfter.epoch, publications };
        },
      })),
  });
  const places: Position[] = [];
  for (let number = 1; number <= 5; number += 1)
    places.push(await world.node.publish("room:1", "message", number));
  const heard = await new Conversation(world).say(subscribe("1", "room:1", places[0]));
  expect(heard[0]).toMatchObject({ type: "ack", recovered: false });
  expect(heard[1]).toMatchObject({ type: "gap", reason: "trimmed", lost: 2 });
  expect(heard.slice(2).map(({ offset, type }) => offset ?? type)).toEqual([4, 5, "caughtup"]);
});

test("[SUB-3] a gap that was announced comes, though the node's tail holds more than the broker", async () => {
  let edge: Position | null = null;
  const world: World = new World({
    wrapBroker: (broker) =>
      changed(broker, (log) => ({
        // Further than the node knows, which doubts its tail as long as it looks again.
        locate: async (start) => {
          const position = await log.locate(start);
          return edge === null ? position : { ...position, offset: position.offset + 1 };
        },
        read: async (after, limit) => {
          if (edge === null || after.offset >= edge.offset) {
            await new Promise<void>((resolve) => world.clock.after(500, resolve));
            return log.read(after, limit);
          }
          const lost = edge.offset - after.offset;
          const gap = { reason: "trimmed", to: edge, continuesAfter: edge, lost } as const;
          const next = await log.read(edge, limit);
          const publications = next.kind === "publications" ? next.publications : [];
          return { kind: "gap", gap, publications };
        },
      })),
  });
  await new Conversation(world, "bob").say(subscribe("1", "room:1", "latest"));
  const places: Position[] = [];
  for (let number = 1; number <= 6; number += 1)
    places.push(await world.node.publish("room:1", "message", number));
  edge = places[3] ?? null;
  await new Conversation(world, "cyd").say(subscribe("1", "room:1", "latest"));
  const heard = await new Conversation(world).say(subscribe("1", "room:1", places[1]));
  expect(heard[0]).toMatchObject({ type: "ack", recovered: false });
  expect(heard.slice(1).map(({ offset, type }) => offset ?? type)).toEqual([
    "gap",
    5,
    6,
    "caughtup",
  ]);
});

test("[SUB-3, SUB-4] a start at a position says whether all that follows is there, and replays it in order", async () => {
  const world = new World();
  for (let number = 1; number <= 5; number += 1)
    await world.node.publish("room:1", "message", number);
  const { epoch, id } = await world.node.publish("room:1", "message", 6);
  const talk = new Conversation(world);
  const heard = await talk.say(subscribe("1", "room:1", { epoch, offset: 2, id: null }));
  expect(heard[0]).toMatchObject({ type: "ack", recovered: true, position: { offset: 2 } });
  expect(heard.slice(1).map(({ offset, type }) => offset ?? type)).toEqual([
    3,
    4,
    5,
    6,
    "caughtup",
  ]);
  const fresh = new Conversation(world, "grace");
  const latest = await fresh.say(subscribe("1", "room:1"));
  expect(latest[0]).toMatchObject({ type: "ack", position: { epoch, offset: 6, id } });
  expect(latest[0]).not.toHaveProperty("recovered");
});

test("[DEL-1] of a client's position three fields are kept, and nothing else comes back", async () => {
  const world = new World();
  const { epoch } = await world.node.publish("room:1", "message", 1);
  const talk = new Conversation(world);
  const junk = { epoch: "unknown", offset: 1, id: null, junk: "x".repeat(4_000) };
  const heard = await talk.say(subscribe("1", "room:1", junk));
  expect(heard.map(({ type }) => type)).toEqual(["ack", "gap", "publication", "caughtup"]);
  expect(JSON.stringify(heard)).not.toContain("xxx");
  const rewind = { rewind: { count: 1 }, epoch };
  expect(await talk.say(subscribe("2", "room:2", rewind))).toMatchObject([
    { type: "ack" },
    { type: "caughtup" },
  ]);
  expect(talk.heard.at(-2)).not.toHaveProperty("recovered");
});

test("[PUB-5] a repeat so old that its id may be forgotten is indeterminate, in the same epoch too", async () => {
  const world = new World();
  const { epoch } = await world.node.publish("room:1", "message", 1);
  await world.advance(1_000_000);
  const talk = new Conversation(world);
  const repeat = (id: string, ageMs: number): object => ({
    ...publish(id, "room:1", id),
    repeat: { ageMs, epoch },
  });
  const { dedupeMs } = world.limits;
  expect(await talk.say(repeat("1", dedupeMs))).toMatchObject([{ code: "indeterminate" }]);
  expect(await talk.say(repeat("2", dedupeMs - 1_000))).toMatchObject([{ type: "ack" }]);
});

test("[FLOW-3] requests that wait for one before them count, and stop the reading", async () => {
  const never = new Promise<never>(() => undefined);
  const world = new World({
    wrapBroker: (broker) => changed(broker, () => ({ tail: () => never })),
  });
  const talk = new Conversation(world);
  const waiting = Array.from({ length: 8 }, (_, index) =>
    publish(`p${index}`, "room:1", "x".repeat(40_000)),
  );
  await talk.say(subscribe("1", "room:1"));
  for (const message of waiting) await talk.say(message);
  expect(talk.reading).toBe(false);
  // The broker's deadline ends the wait; everything is answered, and reading goes on.
  await world.advance(world.limits.appendMs);
  expect(talk.heard.filter(({ type }) => type === "ack")).toHaveLength(waiting.length);
  expect(talk.heard.find(({ re }) => re === "1")).toMatchObject({ code: "unavailable" });
  expect(talk.reading).toBe(true);
});
