// Results and errors of hooks and handlers: a coded refusal, one line in the log that names the hook,
// and nobody else affected.
import { TailwireError, tailwireError } from "@tailwire/protocol";
import type { Broker } from "@tailwire/server/broker-contract";
import type { Application, ChannelOptions } from "@tailwire/server/core";
import { describe, expect, test } from "vitest";
import { changed } from "@tailwire/simulation";
import { TestNode, hello, type Peer, publish, type Said, subscribe } from "../harness.ts";
import { rejecting, thenThrows, THROWABLES } from "../oddities.ts";

const ASK: Said = { type: "request", name: "ask", data: null };
const AUTHENTICATE: Said = { type: "authenticate", token: "ada" };
const LATEST: Said = { type: "subscribe", channel: "room:1", start: "latest" };

interface Place {
  /** As the log names it. */
  readonly hook: string;
  /** An application in which this function does whatever it is told. */
  readonly with: (act: () => unknown) => {
    readonly application?: Partial<Application>;
    readonly channel?: ChannelOptions;
  };
  /** The message on which the server calls it. */
  readonly said: Said;
  readonly code: string;
}

const PLACES: readonly Place[] = [
  {
    hook: "authorize",
    with: (act) => ({ application: { authorize: act as () => boolean } }),
    said: subscribe(),
    code: "internal",
  },
  {
    hook: "onPublish",
    with: (act) => ({ channel: { onPublish: act } }),
    said: publish(1),
    code: "internal",
  },
  {
    hook: "snapshot",
    with: (act) => ({ channel: { snapshot: act as () => { data: unknown } } }),
    said: LATEST,
    code: "snapshot_unavailable",
  },
  {
    hook: "requests.ask",
    with: (act) => ({ application: { requests: new Map([["ask", act]]) } }),
    said: ASK,
    code: "internal",
  },
  {
    hook: "authenticate",
    with: (act) => ({ application: { authenticate: act as () => Promise<null> } }),
    said: AUTHENTICATE,
    code: "internal",
  },
];

function benchOf(place: Place, act: () => unknown): TestNode {
  const { application = {}, channel = {} } = place.with(act);
  return new TestNode({ application, channels: { "room:{id}": channel, lobby: {} } });
}

/** Does what makes the server call the hook, while somebody else looks on. */
async function refusedAt(
  place: Place,
  act: () => unknown,
): Promise<{ testNode: TestNode; peer: Peer }> {
  const testNode = benchOf(place, act);
  const witness = await testNode.openPeer("witness");
  const peer = await testNode.openPeer();
  await peer.say(place.said);
  expect(peer.heardInShort).toEqual([`error r1 ${place.code}`]);
  await witness.say({ type: "ping" });
  expect(witness.heardInShort).toEqual(["pong r1"]);
  peer.forget();
  await peer.say({ type: "ping" });
  expect(peer.heardInShort).toEqual(["pong r1"]);
  return { testNode, peer };
}

function expectOneLine({ errors }: TestNode, hook: string): void {
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatchObject({ hook, error: expect.any(Error) as unknown });
}

for (const place of PLACES) {
  describe(`${place.hook} as it may be`, () => {
    test.each(Object.entries(THROWABLES))("may throw %s", async (_what, make) => {
      const { testNode } = await refusedAt(place, () => {
        throw make();
      });
      expectOneLine(testNode, place.hook);
    });

    test.each(Object.entries(THROWABLES))("may reject with %s", async (_what, make) => {
      const { testNode } = await refusedAt(place, () => rejecting(make()));
      expectOneLine(testNode, place.hook);
    });

    test.each([
      { code: "x".repeat(5_000) },
      { retryAfterMs: Number.NaN },
      { description: 7 },
      { retry: null },
      { fault: "the weather" },
    ])("may throw a TailwireError with %j", async (odd) => {
      const details = { code: "odd", description: "Odd.", fault: "client", retry: false } as const;
      const { testNode } = await refusedAt(place, () => {
        throw new TailwireError({ ...details, ...(odd as object) });
      });
      expectOneLine(testNode, place.hook);
    });

    test("may give a thenable whose then throws, or that calls back twice", async () => {
      const { testNode } = await refusedAt(place, thenThrows);
      expectOneLine(testNode, place.hook);
      const twice = {
        // oxlint-disable-next-line unicorn/no-thenable -- a library's promise that keeps no rules
        then: (_give: unknown, refuse: (error: unknown) => void) => {
          refuse(new Error("first"));
          refuse(new Error("second"));
          throw new Error("third");
        },
      };
      expectOneLine((await refusedAt(place, () => twice)).testNode, place.hook);
    });

    test("may never settle, and has a deadline", async () => {
      const testNode = benchOf(place, () => new Promise(() => undefined));
      const peer = await testNode.openPeer();
      await peer.say(place.said);
      await testNode.clock.advance(testNode.limits.requestMs);
      expect(peer.heard.filter(({ type }) => type === "error")).toHaveLength(1);
    });
  });
}

describe("a TailwireError with long words", () => {
  test("reaches the client whole in its code and cut in its words, from everywhere", async () => {
    const refusal = { code: "odd", fault: "client", retry: false } as const;
    const act = (): never => {
      throw new TailwireError({ ...refusal, description: "é".repeat(5_000) });
    };
    for (const place of PLACES) {
      const testNode = benchOf(place, act);
      const peer = await testNode.openPeer();
      await peer.say(place.said);
      const code = place.hook === "snapshot" ? "snapshot_unavailable" : "odd";
      expect(peer.heardInShort).toEqual([`error r1 ${code}`]);
      expect(testNode.errors).toEqual([]);
    }
  });

  test("ends a subscription after a fresh token, in words that fit", async () => {
    let allowed = true;
    const testNode = new TestNode({
      application: {
        authorize: () => {
          if (allowed) return true;
          const description = "x".repeat(5_000);
          throw new TailwireError({ code: "odd", description, fault: "client", retry: false });
        },
      },
    });
    const peer = await testNode.openPeer();
    await peer.say(subscribe());
    allowed = false;
    peer.forget();
    await peer.say(AUTHENTICATE);
    expect(peer.heard).toMatchObject([{ type: "ack" }, { type: "unsubscribed", code: "odd" }]);
  });
});

describe("authorize", () => {
  const authorize = PLACES[0] as Place;

  test.each(["yes", "", 1, 0, Number.NaN, {}, [], Symbol("yes"), () => true, 1n])(
    "that gives %s allows nothing, and is logged",
    async (given) => {
      const { testNode } = await refusedAt(authorize, () => given);
      expectOneLine(testNode, "authorize");
      expect(testNode.node.channels).toBe(0);
    },
  );

  test.each([undefined, null, false])("that gives %s says no", async (given) => {
    const testNode = benchOf(authorize, () => given);
    const peer = await testNode.openPeer();
    await peer.say(subscribe(), publish(1));
    expect(peer.heardInShort).toEqual(["error r1 forbidden", "error r2 forbidden"]);
    expect(testNode.errors).toEqual([]);
  });
});

describe("onPublish", () => {
  test.each([undefined, Promise.resolve(undefined)])(
    "that gives nothing is asked whether it forgot to",
    async (given) => {
      const { testNode } = await refusedAt(PLACES[1] as Place, () => given);
      expect(JSON.stringify(testNode.errors, errorsInWords)).toContain("forget to return data");
    },
  );

  test.each([() => 1, 1n, Symbol("data")])(
    "that gives what is no data is refused",
    async (given) => {
      expectOneLine((await refusedAt(PLACES[1] as Place, () => given)).testNode, "onPublish");
    },
  );
});

const errorsInWords = (_name: string, value: unknown): unknown =>
  value instanceof Error ? value.message : value;

describe("snapshot", () => {
  const position = { epoch: "e", offset: 1, id: null };

  test.each<readonly [string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["text", "state"],
    ["no data", {}],
    ["data that is undefined", { data: undefined }],
    ["data that is a function", { data: () => 1 }],
    ["data that is too large", { data: "x".repeat(100_000) }],
    ["a position that is text", { data: 1, position: "end" }],
    ["a position without epoch", { data: 1, position: { ...position, epoch: undefined } }],
    ["a position with half an offset", { data: 1, position: { ...position, offset: 0.5 } }],
    ["a position with a number for an id", { data: 1, position: { ...position, id: 7 } }],
    ["a getter that throws", Object.defineProperty({}, "data", { get: () => rejected() })],
  ])(
    "that gives %s is a mistake, and the channel says snapshot_unavailable",
    async (_what, given) => {
      expectOneLine((await refusedAt(PLACES[2] as Place, () => given)).testNode, "snapshot");
    },
  );

  test("can't move the log by changing the question's position", async () => {
    const testNode = new TestNode({
      channels: {
        "room:{id}": {
          snapshot: ({ position: asked }) => {
            Object.assign(asked, { offset: 99, epoch: "mine" });
            return { data: "state" };
          },
        },
      },
    });
    const peer = await testNode.openPeer();
    await peer.say(LATEST);
    expect(peer.heard[0]).toMatchObject({ type: "ack", position: { offset: 0 } });
  });
});

function rejected(): never {
  throw new Error("rejected");
}

describe("authenticate on a live connection", () => {
  const live = PLACES[4] as Place;
  const user = { id: "ada" };

  test.each<readonly [string, unknown]>([
    ["true", true],
    ["no user", {}],
    ["an id that is no text", { user: { id: 7 } }],
    ["an end that is NaN", { user, expiresAt: Number.NaN }],
    ["an end in seconds", { user, expiresAt: 1_700_000_000 }],
    ["a capability that is no pattern", { user, capabilities: [{ channel: "*", actions: [] }] }],
  ])("that gives %s is a mistake, and the token before stands", async (_what, given) => {
    const { testNode, peer } = await refusedAt(live, () => given);
    expectOneLine(testNode, "authenticate");
    peer.forget();
    await peer.say(publish(1));
    expect(peer.heardInShort).toEqual(["ack r1"]);
  });

  test.each<readonly [string, (testNode: TestNode) => unknown]>([
    ["nothing", () => undefined],
    ["false", () => false],
    ["an end that has passed", (testNode) => ({ user, expiresAt: testNode.clock.now() - 1 })],
    ["an end right now", (testNode) => ({ user, expiresAt: new Date(testNode.clock.now()) })],
  ])("[AUTH-8] that gives %s refuses the token", async (_what, give) => {
    const testNode: TestNode = benchOf(live, () => give(testNode));
    const peer = await testNode.openPeer();
    await peer.say(AUTHENTICATE);
    expect(peer.heardInShort).toEqual(["error r1 unauthenticated"]);
    expect(testNode.errors).toEqual([]);
  });

  test("isn't another user where the id changes after it was let in", async () => {
    const mutable = { id: "ada" };
    const testNode = benchOf(live, () => ({ user: { id: "ada" } }));
    const peer = await testNode.openPeer({ user: mutable });
    mutable.id = "bob";
    await peer.say(AUTHENTICATE);
    expect(peer.heardInShort).toEqual(["ack r1"]);
    testNode.node.disconnect("ada");
    expect(peer.socket.calls).toContain("close 4504 disconnected");
  });
});

describe("what is told and answers nothing", () => {
  const acts: readonly (readonly [string, () => unknown])[] = [
    ["throws", () => rejected()],
    ["rejects", () => rejecting(new Error("late"))],
    ["rejects with what can't be text", () => rejecting(Object.create(null))],
    ["rejects with a code", () => rejecting(tailwireError("unavailable"))],
  ];

  test.each(acts)("onConnect that %s is logged, and the client is welcome", async (_what, act) => {
    const testNode = new TestNode({ application: { onConnect: act } });
    const peer = testNode.peer();
    await peer.say(hello());
    expect(peer.heardInShort).toEqual(["welcome r1"]);
    expectOneLine(testNode, "onConnect");
  });

  test.each(acts)("onDisconnect that %s is logged, and the rest goes on", async (_what, act) => {
    const testNode = new TestNode({ application: { onDisconnect: act } });
    const peer = await testNode.openPeer();
    const witness = await testNode.openPeer("bob");
    peer.connection.gone();
    await witness.say({ type: "ping" });
    expect(witness.heardInShort).toEqual(["pong r1"]);
    expect(testNode.node.connections).toBe(1);
    expectOneLine(testNode, "onDisconnect");
  });

  test.each(acts)("a tracer that %s is logged, and the others are told", async (_what, act) => {
    const testNode = new TestNode();
    const told: unknown[] = [];
    const peer = await testNode.openPeer();
    testNode.node.traces.add("ada", act);
    testNode.node.traces.add("ada", (entry) => told.push(entry));
    peer.connection.input.receive(peer.text({ type: "pong", re: "s1" }));
    await testNode.clock.settle();
    expect(told).toHaveLength(1);
    expectOneLine(testNode, "trace");
  });

  test("a tracer can't change what is said", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    testNode.node.traces.add("ada", ({ fields }) => {
      for (const value of Object.values(fields)) {
        if (typeof value === "object" && value !== null) Object.assign(value, { offset: 99 });
      }
    });
    await peer.say(publish(1), subscribe());
    expect(peer.heard).toMatchObject([
      { type: "ack", position: { offset: 1 } },
      { type: "ack", position: { offset: 0 } },
      { type: "publication", offset: 1 },
      { type: "caughtup", position: { offset: 1 } },
    ]);
  });
});

describe("a broker that throws at once", () => {
  function nodeWith(
    broken: Partial<Record<"append" | "tail" | "readBack" | "locate", true>>,
  ): TestNode {
    const throwing = Object.fromEntries(Object.keys(broken).map((name) => [name, rejected]));
    const wrapBroker = (broker: Broker): Broker => changed(broker, () => throwing);
    return new TestNode({ wrapBroker, channels: { "room:{id}": {} } });
  }

  const READ: Said = { type: "read", channel: "room:1", count: 1 };

  test.each([
    ["append", publish(1)],
    ["tail", subscribe()],
    ["locate", subscribe()],
    ["readBack", READ],
  ] as const)("from %s costs that request", async (method, said) => {
    const testNode = nodeWith({ [method]: true });
    const peer = await testNode.openPeer();
    await peer.say(said);
    expect(peer.heard).toMatchObject([{ type: "error", re: "r1" }]);
    await peer.say(said);
    expect(peer.heard).toMatchObject([{ re: "r1" }, { type: "error", re: "r2" }]);
  });

  test.each<readonly [string, unknown]>([
    ["nothing", undefined],
    ["too few results", []],
    ["results of no kind", [{}]],
    ["a refusal of no code", [{ kind: "refused", code: "never" }]],
    ["text", "appended"],
  ])("whose append gives %s leaves it indeterminate", async (_what, given) => {
    const testNode = new TestNode({
      wrapBroker: (broker) =>
        changed(broker, () => ({ append: () => Promise.resolve(given as never) })),
    });
    const peer = await testNode.openPeer();
    await peer.say(publish(1));
    await peer.say(publish(2));
    expect(peer.heardInShort).toEqual(["error r1 indeterminate", "error r2 indeterminate"]);
    expect(testNode.errors).toHaveLength(2);
    expect(testNode.errors[0]).toMatchObject({ hook: "broker.append" });
  });

  test("from close doesn't keep the server", async () => {
    const testNode = new TestNode({
      wrapBroker: (broker) => ({ ...changed(broker, () => ({})), close: () => rejected() }),
    });
    await testNode.node.close();
    expectOneLine(testNode, "broker.close");
  });
});
