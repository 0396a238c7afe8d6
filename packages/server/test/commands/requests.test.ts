// Requests to the application: each is answered once, by the handler or by what came instead.
import { describe, expect, test } from "vitest";
import { type AbortSignalLike, TailwireError } from "@tailwire/protocol";
import type { RequestContext, RequestHandler } from "@tailwire/server/core";
import { TestNode, type TestNodeOptions, type Peer, publish, type Said } from "../harness.ts";

const never = new Promise<never>(() => undefined);

const ask = (name: string, data: unknown = null, id?: string): Said => ({
  type: "request",
  name,
  data,
  ...(id === undefined ? {} : { id }),
});
const cancel = (re: string): Said => ({ type: "cancel", re });

function nodeWith(
  requests: Readonly<Record<string, RequestHandler>>,
  options: TestNodeOptions = {},
): TestNode {
  return new TestNode({ application: { requests: new Map(Object.entries(requests)) }, ...options });
}

/** A handler that never answers, and the signals that it was given. */
function thinking(): { readonly signals: AbortSignalLike[]; readonly think: RequestHandler } {
  const signals: AbortSignalLike[] = [];
  const think: RequestHandler = (_, { signal }) => {
    signals.push(signal);
    return never;
  };
  return { signals, think };
}

const aborted = (signals: readonly AbortSignalLike[]): readonly boolean[] =>
  signals.map((signal) => signal.aborted);

describe("[REQ-1] a request", () => {
  test("is answered with what the handler returns, now or later", async () => {
    const contexts: RequestContext[] = [];
    const testNode: TestNode = nodeWith({
      double: (input, context) => {
        contexts.push(context);
        return (input as number) * 2;
      },
      later: () =>
        new Promise((resolve) => testNode.clock.after(100, () => resolve({ late: true }))),
    });
    const peer = await testNode.openPeer();
    await peer.say(ask("double", 21), ask("later"));
    expect(peer.heard).toMatchObject([{ type: "ack", re: "r1", data: 42 }]);
    await testNode.clock.advance(100);
    expect(peer.heard[1]).toMatchObject({ type: "ack", re: "r2", data: { late: true } });
    expect(contexts).toMatchObject([{ user: { id: "ada" }, id: "r1" }]);
    expect(contexts[0]?.context).toBe(peer.connection.context);
  });

  test.each([1n, () => 1])("answered with what is no JSON is internal: %s", async (value) => {
    const peer = await nodeWith({ give: () => value }).openPeer();
    await peer.say(ask("give"));
    expect(peer.heardInShort).toEqual(["error r1 internal"]);
  });

  test.each([null, false, 0, "", [], { deep: [[1]] }])("may be answered with %j", async (value) => {
    const peer = await nodeWith({ give: () => value }).openPeer();
    await peer.say(ask("give"));
    expect(peer.heard[0]).toMatchObject({ type: "ack", data: value });
  });

  test("whose handler returns nothing is answered with null", async () => {
    const peer = await nodeWith({ note: () => undefined }).openPeer();
    await peer.say(ask("note"));
    expect(peer.heard[0]).toMatchObject({ type: "ack", re: "r1", data: null });
  });

  test("that nobody answers is unknown_request, whatever objects inherit", async () => {
    const peer = await nodeWith({}).openPeer();
    await peer.say(ask("unheard-of"), ask("constructor"), ask("__proto__"));
    expect(peer.heardInShort).toEqual(
      ["r1", "r2", "r3"].map((re) => `error ${re} unknown_request`),
    );
  });

  test("that the handler refuses has its code and all that it says", async () => {
    const details = {
      code: "room_full",
      description: "Try the next room.",
      fault: "client",
      retry: true,
      retryAfterMs: 500,
    } as const;
    const testNode = nodeWith({
      enter: () => {
        throw new TailwireError(details);
      },
      enterLater: () => Promise.reject(new TailwireError(details)),
    });
    const peer = await testNode.openPeer();
    await peer.say(ask("enter"), ask("enterLater"));
    expect(peer.heard).toMatchObject([
      { type: "error", re: "r1", ...details },
      { type: "error", re: "r2", ...details },
    ]);
    expect(testNode.errors).toEqual([]);
  });

  test("whose handler fails is internal: the client isn't told why, the log is", async () => {
    const testNode = nodeWith({
      fail: () => {
        throw new Error("the password is 1234");
      },
      failLater: () => Promise.reject(new Error("the password is 1234")),
    });
    const peer = await testNode.openPeer();
    await peer.say(ask("fail"), ask("failLater"));
    expect(peer.heardInShort).toEqual(["error r1 internal", "error r2 internal"]);
    expect(peer.socket.written.join("")).not.toContain("1234");
    expect(testNode.errors).toHaveLength(2);
  });

  test("is answered when it is ready, whatever came before it", async () => {
    const testNode: TestNode = nodeWith({
      wait: (ms) => new Promise((resolve) => testNode.clock.after(ms as number, () => resolve(ms))),
    });
    const peer = await testNode.openPeer();
    await peer.say(ask("wait", 300), ask("wait", 100), ask("wait", 200), publish(1));
    await testNode.clock.advance(300);
    expect(peer.heardInShort).toEqual(["ack r4", "ack r2", "ack r3", "ack r1"]);
  });

  test("under the id of one in progress is refused, and the one in progress isn't disturbed", async () => {
    const { think, signals } = thinking();
    const peer = await nodeWith({ think, now: () => "now" }).openPeer();
    await peer.say(ask("think", null, "same"), ask("now", null, "same"));
    expect(peer.heardInShort).toEqual(["error same bad_message"]);
    expect(aborted(signals)).toEqual([false]);
    await peer.say(cancel("same"));
    await peer.say(ask("now", null, "same"));
    expect(peer.heardInShort.slice(1)).toEqual(["error same cancelled", "ack same"]);
  });

  test("may have a big answer, which doesn't hold up others for good", async () => {
    const peer = await nodeWith({ big: () => "é".repeat(500_000) }).openPeer();
    await peer.say(ask("big"), { type: "ping" });
    const [big] = peer.heard.filter(({ type }) => type === "ack");
    expect(big).toMatchObject({ re: "r1", data: "é".repeat(500_000) });
    expect(peer.heardInShort).toContain("pong r2");
    // The reading stopped while that much waited, and goes on.
    await peer.say({ type: "ping" });
    expect(peer.heardInShort.at(-1)).toBe("pong r3");
    expect(peer.socket.calls.at(-1)).toBe("resume");
  });

  test("that holds much while it is in progress stops the reading [FLOW-3]", async () => {
    const { think } = thinking();
    const testNode = nodeWith({ think }, { limits: { requestBytesMax: 10_000 } });
    const peer = await testNode.openPeer();
    await peer.say(ask("think", "x".repeat(9_000)));
    expect(peer.socket.calls).toEqual([]);
    await peer.say(ask("think"), ask("think"));
    expect(peer.socket.calls).toEqual(["pause"]);
    await testNode.clock.advance(testNode.limits.requestMs);
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
  });
});

describe("[REQ-2] a request that takes too long", () => {
  test("is answered with timeout, and its handler is told to stop", async () => {
    const { think, signals } = thinking();
    const testNode = nodeWith({ think });
    const peer = await testNode.openPeer();
    await peer.say(ask("think"));
    await testNode.clock.advance(testNode.limits.requestMs - 1);
    expect([peer.heardInShort.includes("error r1 timeout"), aborted(signals)]).toEqual([
      false,
      [false],
    ]);
    await testNode.clock.advance(1);
    expect(peer.heardInShort.at(-1)).toBe("error r1 timeout");
    expect(peer.heard.at(-1)).toMatchObject({ retry: false });
    expect(signals[0]?.reason).toMatchObject({ code: "timeout" });
  });

  test("has no second answer when the handler answers later", async () => {
    const testNode: TestNode = nodeWith(
      { wait: () => new Promise((resolve) => testNode.clock.after(2_000, () => resolve(1))) },
      { limits: { requestMs: 1_000 } },
    );
    const peer = await testNode.openPeer();
    await peer.say(ask("wait"));
    await testNode.clock.advance(5_000);
    expect(peer.heardInShort).toEqual(["error r1 timeout"]);
    expect(testNode.errors).toEqual([]);
  });
});

describe("[REQ-3] a request that is taken back", () => {
  test("is answered with cancelled, and its handler is told to stop", async () => {
    const { think, signals } = thinking();
    const peer = await nodeWith({ think }).openPeer();
    await peer.say(ask("think"), ask("think"));
    await peer.say(cancel("r1"));
    expect(peer.heardInShort).toEqual(["error r1 cancelled"]);
    expect(aborted(signals)).toEqual([true, false]);
    expect(signals[0]?.reason).toMatchObject({ code: "cancelled" });
  });

  test("with the message that follows it is never answered otherwise", async () => {
    const peer = await nodeWith({ slow: async () => Promise.resolve(1) }).openPeer();
    await peer.say(ask("slow"), cancel("r1"), cancel("r1"));
    expect(peer.heardInShort).toEqual(["error r1 cancelled"]);
  });

  test("after it was answered changes nothing, and neither does a cancel of something else", async () => {
    const signals: AbortSignalLike[] = [];
    const peer = await nodeWith({ now: (_, { signal }) => signals.push(signal) }).openPeer();
    await peer.say(ask("now"));
    await peer.say(cancel("r1"), cancel("unheard-of"), { type: "ping" });
    expect(peer.heardInShort).toEqual(["ack r1", "pong r4"]);
    // Nothing tells a handler to stop that has given its answer.
    expect(aborted(signals)).toEqual([false]);
  });

  test("may be answered by a handler that throws once it is told, which nobody hears", async () => {
    const testNode = nodeWith({
      think: (_, { signal }) =>
        new Promise((__, reject) =>
          signal.addEventListener("abort", () => reject(new Error("stopped"))),
        ),
    });
    const peer = await testNode.openPeer();
    await peer.say(ask("think"));
    await peer.say(cancel("r1"));
    expect(peer.heardInShort).toHaveLength(1);
    expect(peer.heardInShort[0]).toMatch(/^error r1 (?:cancelled|internal)$/);
  });

  test("by the loss of its connection: every handler is told to stop, and nothing is said", async () => {
    const { think, signals } = thinking();
    const testNode = nodeWith({ think });
    const peer: Peer = await testNode.openPeer();
    const other = await testNode.openPeer("bob");
    await peer.say(ask("think"), ask("think"));
    await other.say(ask("think"));
    peer.connection.gone();
    await testNode.clock.settle();
    expect(aborted(signals)).toEqual([true, true, false]);
    expect([peer.heard, peer.connection.requests.size]).toEqual([[], 0]);
    expect(peer.connection.heldBytes).toBe(0);
    expect(testNode.errors).toEqual([]);
  });
});
