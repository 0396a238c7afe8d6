// A bad argument costs its caller an error, and the connection nothing: the server never sees it.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Start, TailwireError, validateClientMessage } from "@tailwire/protocol";
import type { Client } from "@tailwire/client/core";
import { World } from "@tailwire/simulation";

type Room = ReturnType<Client["channel"]>;

/** Values that no argument's type allows, but JavaScript does. */
const ODD = [null, 7, NaN, true, {}, [], "", "two words", Symbol("odd")] as readonly unknown[];

const place = { epoch: "log", offset: 1, id: "p1" };
const endless = "x".repeat(65);

const CASES: readonly {
  readonly what: string;
  readonly code: string;
  readonly given: readonly unknown[];
  readonly call: (client: Client, room: Room, given: never) => unknown;
}[] = [
  {
    what: "an event's name",
    code: "bad_message",
    given: [...ODD, undefined, endless, "a/b", "ü", "line\nline"],
    call: (_client, room, event) => room.publish(event, 1),
  },
  {
    what: "the name of what is listened to",
    code: "bad_message",
    given: [...ODD, undefined, endless, "*"],
    call: (_client, room, event) => room.subscribe().on(event, () => undefined),
  },
  {
    what: "a request's name",
    code: "bad_message",
    given: [...ODD, undefined, endless, "a/b", "a b"],
    call: (client, _room, name) => client.request(name),
  },
  {
    what: "a channel's name",
    code: "bad_channel",
    given: [
      null,
      7,
      NaN,
      true,
      {},
      [],
      "",
      "two words",
      "a::b",
      "a/..",
      undefined,
      "x".repeat(201),
    ],
    call: (client, _room, name) => client.channel<string>(name),
  },
  {
    what: "a channel's param",
    code: "bad_channel",
    given: [null, {}, [], "", "two words", "a:b", "a/b", undefined, "x".repeat(201)],
    call: (client, _room, id) => client.channel("room:{id}", { id }),
  },
  {
    what: "a page's limit",
    code: "bad_message",
    given: [null, NaN, 0, -1, 1.5, 1_001, 5_000, Infinity, "10", {}],
    call: (_client, room, limit) => room.read({ limit }),
  },
  ...(["after", "before"] as const).map((side) => ({
    what: `where a page is read ${side}`,
    code: "bad_position",
    given: [...ODD, "latest", ...oddPlaces()],
    call: (_client: Client, room: Room, given: never) => room.read({ [side]: given }),
  })),
  {
    what: "a start that is no position",
    code: "bad_position",
    given: [{}, [], ...oddPlaces()],
    call: (_client, room, start) => room.subscribe({ start }),
  },
  {
    what: "a start that is none",
    code: "bad_message",
    given: [null, 7, NaN, true, "", "newest", Symbol("odd"), ...oddRewinds()],
    call: (_client, room, start) => room.subscribe({ start }),
  },
  {
    what: "a request's timeoutMs",
    code: "bad_message",
    given: [null, NaN, -1, -Infinity, "1000", {}, 5n],
    call: (client, _room, timeoutMs) => client.request("slow", 1, { timeoutMs }),
  },
  {
    what: "a page's timeoutMs",
    code: "bad_message",
    given: [null, NaN, -1, -Infinity, "1000", {}],
    call: (_client, room, timeoutMs) => room.read({ timeoutMs }),
  },
  {
    what: "a publication's ttlMs",
    code: "bad_message",
    given: [null, NaN, -1, -Infinity, "1000", {}],
    call: (_client, room, ttlMs) => room.publish("message", 1, { ttlMs }),
  },
  ...(
    [
      ["a publication's", (_client, room, signal) => room.publish("message", 1, { signal })],
      ["a request's", (client, _room, signal) => client.request("slow", 1, { signal })],
      ["a page's", (_client, room, signal) => room.read({ signal })],
      ["a subscription's", (_client, room, signal) => room.subscribe({ signal })],
    ] as const satisfies readonly (readonly [
      string,
      (client: Client, room: Room, given: never) => unknown,
    ])[]
  ).map(([whose, call]) => ({
    what: `${whose} signal`,
    code: "bad_message",
    given: [null, 7, "abort", {}, new AbortController(), { addEventListener: () => undefined }],
    call,
  })),
];

function oddPlaces(): readonly unknown[] {
  return [
    { ...place, epoch: "" },
    { ...place, epoch: 7 },
    { ...place, epoch: "x".repeat(65) },
    { ...place, offset: -1 },
    { ...place, offset: 1.5 },
    { ...place, offset: "1" },
    { ...place, offset: Infinity },
    { ...place, offset: 2 ** 53 },
    { ...place, id: undefined },
    { ...place, id: "" },
    { ...place, id: "x".repeat(129) },
  ];
}

function oddRewinds(): readonly unknown[] {
  const rewinds = [
    null,
    7,
    {},
    { count: -1 },
    { count: 1.5 },
    { count: 1_000_001 },
    { count: "5" },
  ];
  return [
    ...rewinds,
    { ageMs: -1 },
    { ageMs: NaN },
    { ageMs: Infinity },
    { count: NaN, ageMs: 1 },
  ].map((rewind) => ({ rewind }));
}

/** A client that waits for an answer, and what was sent and told that shouldn't be. */
async function stage() {
  const world: World = new World({
    application: {
      requests: new Map([
        [
          "slow",
          () => new Promise((resolve) => void world.clock.after(500, () => resolve("done"))),
        ],
      ]),
    },
  });
  const client = world.client("ada");
  const room = client.channel("room:1");
  await world.outcome(room.publish("message", 0));
  const errors: string[] = [];
  const sent: string[] = [];
  world.tap = (direction, text) => {
    if (direction === "toClient" && text.includes('"error"')) errors.push(text);
    if (direction === "toServer") sent.push(text);
    return "arrives";
  };
  return { world, client, room, errors, sent };
}

async function errorOf(world: World, call: () => unknown): Promise<unknown> {
  return world.outcome(
    (async () => call())().then(
      () => "nothing was wrong",
      (error: unknown) => error,
    ),
  );
}

describe.each(CASES)("$what that is none", ({ code, given, call }) => {
  test("is refused here, in words, and nobody else notices", async () => {
    const { world, client, room, errors, sent } = await stage();
    const innocent = client.request("slow");
    for (const odd of given) {
      const error = await errorOf(world, () => call(client, room, odd as never));
      const told = error instanceof TailwireError ? error : null;
      expect({ odd, code: told?.code ?? error }).toEqual({ odd, code });
      expect(told?.description.length).toBeGreaterThan(20);
    }
    expect(await world.outcome(innocent)).toBe("done");
    await world.advance(1_000);
    expect([errors, world.links.length, client.status.pending]).toEqual([[], 1, 0]);
    expect(sent.filter((text) => text.includes('"publish"') || text.includes('"read"'))).toEqual(
      [],
    );
  });
});

test("a channel that was refused a start is there for the next", async () => {
  const { world, room, client } = await stage();
  expect(() => room.subscribe({ start: { rewind: { count: -1 } } })).toThrow("bad_message");
  client.onSubscribed(({ channel }) => begun.push(channel.name));
  const begun: string[] = [];
  world.node.subscribe("ada", "room:1");
  await world.advance(100);
  expect(begun).toEqual(["room:1"]);
});

test("an option that is undefined is one that is left out", async () => {
  const { world, room, client } = await stage();
  const none = undefined;
  const subscription = room.subscribe({ start: none, echo: none, signal: none });
  await world.outcome(subscription.ready);
  await world.outcome(room.publish("message", 1, { signal: none, ttlMs: none }));
  const page = await world.outcome(
    room.read({ after: none, before: none, limit: none, signal: none, timeoutMs: none }),
  );
  expect(page.publications).toHaveLength(2);
  expect(await world.outcome(client.request("slow", none, { signal: none, timeoutMs: none }))).toBe(
    "done",
  );
  expect(subscription.waiting).toBe(1);
  world.client("bob", { getToken: none, codec: none });
});

test("what is more in a position than its three fields isn't sent", async () => {
  const { world, room, sent } = await stage();
  const { position } = await world.outcome(room.publish("message", 1));
  sent.length = 0;
  const more = { ...position, secret: "x".repeat(100), __proto__: { rewind: 1 } };
  await world.outcome(room.subscribe({ start: { ...more } }).ready);
  await world.outcome(room.read({ before: more }));
  expect(sent.join("")).not.toContain("secret");
  expect(sent).toHaveLength(2);
});

/** Starts, and values that only look like one. */
const starts = fc.oneof(
  fc.constantFrom<unknown>("latest", "earliest", "newest", null, {}, { rewind: {} }),
  fc.record({ rewind: fc.record({ count: fc.oneof(fc.integer(), fc.double(), fc.anything()) }) }),
  fc.record({ rewind: fc.record({ ageMs: fc.oneof(fc.maxSafeNat(), fc.double()) }) }),
  fc.record(
    {
      epoch: fc.oneof(fc.string({ maxLength: 70 }), fc.anything()),
      offset: fc.oneof(fc.maxSafeInteger(), fc.double()),
      id: fc.oneof(fc.constant(null), fc.string({ maxLength: 140 }), fc.anything()),
    },
    { requiredKeys: [] },
  ),
);

test("a client takes the starts that a server takes, and no others", async () => {
  const { room } = await stage();
  fc.assert(
    fc.property(starts, (start) => {
      const message = { type: "subscribe", id: "1", timestamp: 1, channel: "room:1", start };
      const taken = "message" in validateClientMessage(JSON.parse(JSON.stringify(message)));
      // The client alone may refuse a value that JSON changes.
      fc.pre(taken === isTaken(room, start) || isPlain(start));
      expect(isTaken(room, start)).toBe(taken);
    }),
    { numRuns: 1_000 },
  );
});

function isTaken(room: Room, start: unknown): boolean {
  try {
    void room.subscribe({ start: start as Start }).close();
    return true;
  } catch {
    return false;
  }
}

/** Whether JSON keeps it as it is. */
function isPlain(value: unknown): boolean {
  try {
    expect(JSON.parse(JSON.stringify(value))).toStrictEqual(value);
    return true;
  } catch {
    return false;
  }
}

describe("a token that is none", () => {
  const ODD_TOKENS = [undefined, null, 7, {}, "x".repeat(8_193)] as unknown as string[];

  test.each(ODD_TOKENS)("isn't connected with: %s", async (token) => {
    const world = new World();
    const client = world.client("ada", { getToken: () => token });
    client.channel("room:1").subscribe();
    await world.advance(60_000);
    expect(world.links).toEqual([]);
    expect(client.status).toMatchObject({ state: "reconnecting", reason: "token_failed" });
  });

  test.each([...ODD_TOKENS, ""])("isn't brought to a live connection: %s", async (token) => {
    const world: World = new World({
      authenticate: () => ({ user: { id: "ada" }, expiresAt: world.clock.now() + 600_000 }),
    });
    let asked = 0;
    const getToken = (): string => {
      asked += 1;
      return asked === 1 ? "ada" : token;
    };
    const client = world.client("ada", { getToken });
    await world.outcome(client.channel("room:1").subscribe().ready);
    await world.advance(590_000);
    expect(asked).toBeGreaterThan(2);
    expect(world.links).toHaveLength(1);
    expect(client.status.state).toBe("connected");
  });
});
