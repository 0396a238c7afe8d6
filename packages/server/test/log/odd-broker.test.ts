// A broker of the application's own that breaks its contract: whoever asked is told, the operator too, and
// nobody else is affected.
import { describe, expect, test } from "vitest";
import { JsonText } from "@tailwire/protocol";
import type {
  Broker,
  BrokerLog,
  BrokerState,
  TailListener,
} from "@tailwire/server/broker-contract";
import { type Peer, publicationAt, publish, subscribe, TestNode } from "../harness.ts";

interface Odd {
  readonly testNode: TestNode;
  readonly peer: Peer;
  readonly witness: Peer;
  /** The node's listener for pushes, once it follows the log. */
  listener(): TailListener;
  tell(state: unknown): void;
}

/** A node whose broker has these methods in place of its own, and two connections. */
async function oddNode(methods: Readonly<Record<string, unknown>> = {}): Promise<Odd> {
  let listener: TailListener | null = null;
  let tell: (state: BrokerState) => void = () => undefined;
  const wrapBroker = (broker: Broker): Broker => ({
    capabilities: broker.capabilities,
    onState: (its) => {
      tell = its;
    },
    close: () => broker.close(),
    log: (channel, retention) => {
      const log = broker.log(channel, retention);
      const tail: BrokerLog["tail"] = (its) => {
        listener = its;
        return log.tail(its);
      };
      return { ...log, tail, ...methods };
    },
  });
  const testNode = new TestNode({ wrapBroker });
  const peer = await testNode.openPeer();
  const witness = await testNode.openPeer("bob");
  return {
    testNode,
    peer,
    witness,
    listener: () => {
      if (listener === null) throw new Error("nobody follows the log");
      return listener;
    },
    tell: (state) => tell(state as BrokerState),
  };
}

const POSITION = { epoch: "e", offset: 1, id: "x" };
const throwing = (name: string): object =>
  Object.defineProperty({}, name, {
    enumerable: true,
    get: () => {
      throw new Error("it was read");
    },
  });

describe("append gives no result", () => {
  const appended = { kind: "appended", duplicate: false };
  const answers: readonly (readonly [string, unknown])[] = [
    ["null", null],
    ["nothing", undefined],
    ["text", "x"],
    ["no results", []],
    ["a result that is null", [null]],
    ["a function", () => undefined],
    ["no position", [appended]],
    ["a bigint for an offset", [{ ...appended, position: { ...POSITION, offset: 1n } }]],
    ["text for an offset", [{ ...appended, position: { ...POSITION, offset: "1" } }]],
    ["a position that throws", [Object.assign(throwing("position"), appended)]],
    ["text for a duplicate", [{ ...appended, position: POSITION, duplicate: "no" }]],
    ["no code", [{ kind: "refused" }]],
    ["a code that every object has", [{ kind: "refused", code: "toString" }]],
  ];
  const ways = [
    ["at once", (answer: unknown) => answer],
    ["later", (answer: unknown) => Promise.resolve(answer)],
  ] as const;

  test.each(
    answers.flatMap(([what, answer]) =>
      ways.map(([when, way]) => [what, when, answer, way] as const),
    ),
  )(
    "%s, %s: nobody knows, and both who published are told so",
    async (_what, _when, answer, way) => {
      const { testNode, peer, witness } = await oddNode({ append: () => way(answer) });
      await peer.say(publish("hi"));
      expect(peer.heardInShort).toEqual(["error r1 indeterminate"]);
      const published = testNode.node.publish("room:1", "said", "hi");
      await expect(published).rejects.toMatchObject({ code: "indeterminate" });
      expect(testNode.errors).toMatchObject([{ hook: "broker.append" }, { hook: "broker.append" }]);
      await witness.say({ type: "ping" });
      expect(witness.heardInShort).toEqual(["pong r1"]);
    },
  );
});

test("a thenable that throws is a failed append, and the next isn't held up", async () => {
  const thenables = [throwing("then"), { then: () => throwing("then") }];
  const { testNode, peer } = await oddNode({ append: () => thenables.shift() });
  await peer.say(publish("one"), publish("two"), publish("three"));
  await testNode.clock.advance(testNode.limits.appendMs);
  expect(peer.heardInShort.filter((words) => words.startsWith("error"))).toEqual([
    "error r1 indeterminate",
    "error r2 indeterminate",
    "error r3 indeterminate",
  ]);
});

describe("a push that is none", () => {
  const good = publicationAt(1);
  test.each<readonly [string, unknown, unknown]>([
    ["no publications", "e", undefined],
    ["null for a publication", "e", [null]],
    ["plain data", "e", [{ ...good, data: { text: "hi" } }]],
    ["text for data", "e", [{ ...good, data: "hi" }]],
    ["no data", "e", [{ ...good, data: undefined }]],
    ["a bigint for a timestamp", "e", [{ ...good, timestamp: 1n }]],
    ["no id", "e", [{ ...good, id: undefined }]],
    ["a symbol for an event", "e", [{ ...good, event: Symbol("said") }]],
    ["text for an offset", "e", [{ ...good, offset: "1" }]],
    ["a number for an epoch", 5, [good]],
  ])(
    "with %s is told to the operator once, and what was meant is read",
    async (_what, epoch, publications) => {
      const { testNode, peer, listener } = await oddNode();
      await peer.say(subscribe());
      const [answer] = peer.heard;
      const its = answer?.type === "ack" ? answer.position?.epoch : undefined;
      for (let times = 0; times < 2; times += 1) {
        listener().push((epoch === "e" ? its : epoch) as string, publications as never);
      }
      await testNode.clock.settle();
      expect(testNode.errors).toHaveLength(1);
      await peer.say(publish("hi"));
      expect(peer.heardInShort.slice(-2)).toEqual(["ack r2", "publication 1"]);
      expect(peer.heard.at(-1)).toMatchObject({ data: "hi" });
    },
  );

  test("reads that give none are told once, however often they are made again", async () => {
    let isOdd = true;
    const good: { read: BrokerLog["read"] | null } = { read: null };
    const { testNode, peer, listener } = await oddNode({
      read: (...args: Parameters<BrokerLog["read"]>) => {
        if (isOdd) return Promise.resolve({ kind: "publications", epoch: "e" });
        if (good.read === null) throw new Error("it isn't there");
        return good.read(...args);
      },
    });
    await peer.say(subscribe());
    good.read = (after) =>
      Promise.resolve({
        kind: "publications",
        epoch: after.epoch,
        publications: [publicationAt(1)],
      });
    listener().suspect();
    await testNode.clock.advance(5_000);
    expect(testNode.errors).toHaveLength(1);
    isOdd = false;
    await testNode.clock.advance(1_000);
    expect(peer.heardInShort).toContain("publication 1");
  });
});

describe("a page, a place or a tail that is none", () => {
  const data = JsonText.of("hi");
  test.each<readonly [string, string, unknown]>([
    ["a page", "readBack", undefined],
    ["a page", "readBack", { kind: "publications", epoch: "e" }],
    ["a page", "readBack", { kind: "publications", epoch: 1, publications: [] }],
    ["a page", "readBack", { kind: "publications", epoch: "e", publications: [{ data }] }],
    ["a page", "readBack", { kind: "gap" }],
    [
      "a page",
      "readBack",
      {
        kind: "gap",
        gap: { reason: "bored", to: POSITION, continuesAfter: POSITION, lost: null },
        publications: [],
      },
    ],
    ["a place", "locate", {}],
    ["a place", "locate", { ...POSITION, offset: 1n }],
    ["a tail", "tail", null],
    ["a tail", "tail", { position: POSITION }],
    ["a tail", "tail", { position: {}, close: () => undefined }],
  ])("%s by %s: %o", async (_what, method, given) => {
    const { testNode, peer, witness } = await oddNode({ [method]: () => Promise.resolve(given) });
    await peer.say(subscribe(), { type: "read", channel: "room:1", count: 3 });
    const refused = method === "readBack" ? "error r2 internal" : "error r1 internal";
    expect(peer.heardInShort).toContain(refused);
    expect(testNode.errors[0]).toMatchObject({ hook: `broker.${method}` });
    await witness.say({ type: "ping" });
    expect(witness.heardInShort).toEqual(["pong r1"]);
  });

  test("is an error with a code to the server's own reader", async () => {
    const { testNode } = await oddNode({ readBack: () => Promise.resolve(null) });
    const { readAsServer } = await import("../../src/commands/read.ts");
    const page = readAsServer(testNode.node, "room:1", { count: 3 });
    await expect(page).rejects.toMatchObject({ code: "internal" });
  });
});

describe("a state that is none", () => {
  test.each<readonly [string, () => unknown]>([
    ["null", () => null],
    ["nothing", () => undefined],
    ["text", () => "down"],
    ["no kind", () => ({})],
    ["another kind", () => ({ kind: "sideways" })],
    ["a kind that throws", () => throwing("kind")],
  ])("%s changes nothing, and the operator is told", async (_what, made) => {
    const state = made();
    const { testNode, peer, tell } = await oddNode();
    tell(state);
    expect(testNode.errors).toHaveLength(1);
    expect([testNode.node.link.state, testNode.infos]).toEqual(["up", []]);
    tell({ kind: "down", reason: "it is away" });
    tell(state);
    await peer.say(publish("hi"));
    expect(peer.heardInShort).toEqual(["error r1 unavailable"]);
  });

  test("isn't listened to any more once the broker is closed", async () => {
    const { testNode, tell } = await oddNode();
    const closing = testNode.node.close();
    await testNode.clock.advance(60_000);
    await closing;
    tell({ kind: "down", reason: "it is closed" });
    expect([testNode.node.link.state, testNode.errors]).toEqual(["up", []]);
  });
});
