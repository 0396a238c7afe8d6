// Input is counted by what it takes, carried out in portions and in order, and held back at its
// source where it is too much. A client whose messages may be sent at once notices nothing of it.
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { TestNode, hello, type Peer, publish, type Said, subscribe } from "../harness.ts";
import { upTo } from "../drivers/support.ts";

const PING: Said = { type: "ping" };
const pings = (count: number): readonly Said[] => Array.from({ length: count }, () => PING);
const closes = ({ socket }: Peer): readonly string[] =>
  socket.calls.filter((call) => call.startsWith("close"));

/** How often the most frequent one comes. */
function most(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

describe("[FLOW-8] 1,024 lines at once, as many as there may be,", () => {
  test("are carried out in order and all acknowledged, and reading goes on", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    await peer.say(...upTo(1_024).map((n) => publish(n)));
    expect(peer.heardInShort).toEqual(upTo(1_024).map((n) => `ack r${n}`));
    const offsets = peer.heard.map((ack) => ("position" in ack ? ack.position?.offset : null));
    expect(offsets).toEqual(upTo(1_024));
    expect(peer.socket.calls.at(-1)).toBe("resume");
    expect(closes(peer)).toEqual([]);
    await peer.say(PING);
    expect(peer.heardInShort.at(-1)).toBe("pong r1025");
  });

  test("keep the order of what is asked of one channel, and what comes behind them is behind", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    const churn = upTo(500).flatMap((): Said[] => [
      subscribe(),
      { type: "unsubscribe", channel: "room:1" },
    ]);
    peer.connection.input.receive(peer.text(...churn));
    peer.connection.input.receive(peer.text(PING));
    await testNode.clock.settle();
    const acks = peer.heardInShort.filter((short) => short.startsWith("ack"));
    expect(acks).toEqual(upTo(1_000).map((n) => `ack r${n}`));
    expect(peer.heard.some(({ type }) => type === "error")).toBe(false);
    expect(testNode.node.channels).toBe(0);
  });

  test("that end in a close end there, and nothing behind it is decoded", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    const parse = vi.spyOn(JSON, "parse");
    onTestFinished(() => parse.mockRestore());
    peer.connection.input.receive("x\n".repeat(1_024));
    expect(parse).toHaveBeenCalledTimes(3);
    await testNode.clock.settle();
    expect(parse).toHaveBeenCalledTimes(3);
    parse.mockRestore();
    expect(closes(peer)).toEqual(["close 4400 bad_message"]);
    expect(peer.heard).toHaveLength(3);
  });

  test("[CONN-5] before hello end with the first that is malformed", async () => {
    for (const [text, decoded] of [
      ["x\n".repeat(1_024), 1],
      ['{"type":"x","id":"a","timestamp":1}\n'.repeat(300), 1],
      ['{"type":"ping","id":"a","timestamp":1}\n'.repeat(300), 1],
    ] as const) {
      const testNode = new TestNode();
      const peer = testNode.peer();
      const parse = vi.spyOn(JSON, "parse");
      peer.connection.input.receive(text);
      expect(parse).toHaveBeenCalledTimes(decoded);
      parse.mockRestore();
      await testNode.clock.settle();
      expect(closes(peer)).toEqual(["close 4502 protocol_violation"]);
      expect(peer.heard).toHaveLength(1);
    }
  });

  test("aren't carried out any more once the connection is gone", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    peer.connection.input.receive(peer.text(...upTo(1_000).map((n) => publish(n))));
    peer.connection.gone();
    await testNode.clock.settle();
    const { offset } = await testNode.node.publish("room:1", "said", "last");
    expect(offset).toBeLessThan(100);
    expect(testNode.node.channels).toBe(0);
  });
});

describe("[FLOW-8] in one turn", () => {
  /** A testNode that notes in which turn an application's function was called. */
  function noting(): { testNode: TestNode; turns: number[] } {
    const turns: number[] = [];
    const note = (): void => void turns.push(testNode.clock.fired);
    const testNode: TestNode = new TestNode({
      channels: {
        "room:{id}": {},
        "hooked:{id}": {
          onPublish: ({ data }) => {
            note();
            return data;
          },
        },
      },
      application: {
        authorize: () => {
          note();
          return true;
        },
        requests: new Map([["note", note]]),
      },
    });
    return { testNode, turns };
  }

  test.each<[string, (n: number) => Said]>([
    ["subscribing", (n) => subscribe(`room:${n}`)],
    ["publishing to many channels", (n) => publish(n, `room:${n}`)],
    ["publishing through a hook", (n) => publish(n, `hooked:${n % 2}`)],
    ["a request", () => ({ type: "request", name: "note", data: 1 })],
  ])("%s isn't done a hundred times", async (_what, said) => {
    const { testNode, turns } = noting();
    const peer = await testNode.openPeer();
    turns.length = 0;
    await peer.say(...upTo(200).map(said));
    expect(turns.length).toBeGreaterThanOrEqual(200);
    // As asked for: what may be authorized and hooked is two calls each.
    expect(most(turns)).toBeLessThan(100);
    expect(peer.heard.filter(({ type }) => type === "ack")).toHaveLength(200);
  });

  test("what waited for one slow answer on a lane doesn't go on all together", async () => {
    const { testNode, turns } = noting();
    let open: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      open = resolve;
    });
    const peer = await testNode.openPeer();
    peer.connection.lanes.run("hooked:1", () => slow);
    await peer.say(...upTo(200).map((n) => publish(n, "hooked:1")));
    turns.length = 0;
    open();
    await testNode.clock.settle();
    expect(turns.length).toBeGreaterThanOrEqual(200);
    expect(most(turns)).toBeLessThan(100);
    const acks = peer.heardInShort.filter((short) => short.startsWith("ack"));
    expect(acks).toEqual(upTo(200).map((n) => `ack r${n}`));
  });

  test("the connections of one user aren't all subscribed, unsubscribed or closed", async () => {
    const testNode = new TestNode();
    const peers = upTo(100).map(() => testNode.peer("ada"));
    for (const [index, peer] of peers.entries()) {
      await peer.say(hello({ session: `session-of-ada-${1_000 + index}` }));
      peer.forget();
    }
    const heardBy = (type: string): number =>
      peers.filter(({ heard }) => heard.some((message) => message.type === type)).length;
    testNode.node.subscribe("ada", "room:1");
    testNode.node.unsubscribe("ada", "room:1");
    testNode.node.subscribe("ada", "room:2");
    await testNode.clock.settle();
    expect([heardBy("subscribed"), heardBy("unsubscribed")]).toEqual([100, 100]);
    expect(testNode.node.subscriptions).toBe(100);
    testNode.node.disconnect("ada");
    const atOnce = peers.filter((peer) => closes(peer).length > 0).length;
    expect(atOnce).toBeLessThan(100);
    await testNode.clock.settle();
    expect(peers.map((peer) => closes(peer)).flat()).toEqual(
      peers.map(() => "close 4504 disconnected"),
    );
  });

  test("a node that closes doesn't close all its connections", async () => {
    const testNode = new TestNode();
    const peers = upTo(100).map((n) => testNode.peer(`user-${n}`));
    const closed = testNode.node.close();
    expect(peers.filter((peer) => closes(peer).length > 0).length).toBeLessThan(100);
    await testNode.clock.settle();
    for (const peer of peers) {
      expect(closes(peer)).toEqual(["close 1012 restarting"]);
      peer.connection.gone();
    }
    await closed;
  });

  test("a connection that goes doesn't have all its requests cancelled, and then it has", async () => {
    const aborted: number[] = [];
    const testNode: TestNode = new TestNode({
      application: {
        requests: new Map([
          [
            "wait",
            (_input, { signal }) =>
              new Promise(() => {
                signal.addEventListener("abort", () => aborted.push(testNode.clock.fired));
              }),
          ],
        ]),
      },
    });
    const peer = await testNode.openPeer();
    await peer.say(...upTo(300).map((): Said => ({ type: "request", name: "wait", data: 1 })));
    peer.connection.gone();
    await testNode.clock.settle();
    expect(aborted).toHaveLength(300);
    expect(most(aborted)).toBeLessThan(100);
  });
});

describe("[FLOW-8] more than a portion that waits", () => {
  test("stops reading at once, and reading goes on when it is carried out", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    peer.connection.input.receive(peer.text(...pings(500)));
    expect(peer.socket.calls).toEqual(["pause"]);
    await testNode.clock.settle();
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
    expect(peer.heard).toHaveLength(500);
  });

  test("counts large messages as several", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    for (const n of upTo(6))
      peer.connection.input.receive(peer.text(publish("x".repeat(60_000 + n))));
    expect(peer.socket.calls).toEqual(["pause"]);
    await testNode.clock.settle();
    expect(peer.heardInShort).toEqual(upTo(6).map((n) => `ack r${n}`));
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
  });
});

/** Ten messages a second, twenty at once, and a second for the bucket to fill again behind hello. */
async function slowPeer(limits = {}): Promise<{ testNode: TestNode; peer: Peer }> {
  const testNode = new TestNode({
    limits: { messagesPerSecond: 10, burstSeconds: 2, bytesPerSecond: 1e9, ...limits },
  });
  const peer = await testNode.openPeer();
  await testNode.clock.advance(2_000);
  return { testNode, peer };
}

describe("[FLOW-6] counts as a message:", () => {
  test("an empty WebSocket message", async () => {
    const { peer } = await slowPeer();
    for (let sent = 0; sent < 20; sent += 1) await peer.sayText("");
    expect(peer.socket.calls).toEqual([]);
    await peer.sayText("");
    expect(peer.socket.calls).toEqual(["pause"]);
    for (let sent = 0; sent < 100; sent += 1) await peer.sayText("");
    expect(closes(peer)).toEqual(["close 4429 rate_limited"]);
  });

  test("a frame that brings no message, and 128 lists or objects", async () => {
    const { peer } = await slowPeer();
    peer.connection.input.arrived(120, 20, 0);
    expect(peer.socket.calls).toEqual([]);
    peer.connection.input.arrived(6, 1, 0);
    expect(peer.socket.calls).toEqual(["pause"]);
    const other = await slowPeer();
    await other.peer.say(publish(Array.from({ length: 128 * 18 }, () => [])));
    expect(other.peer.socket.calls.filter((call) => call === "pause")).toEqual([]);
    await other.peer.say(publish(Array.from({ length: 128 * 2 }, () => ({}))));
    expect(other.peer.connection.input.debtMs).toBeGreaterThan(0);
  });

  test("each subscription that a fresh token decides anew, and the token as 16", async () => {
    const { testNode, peer } = await slowPeer({ messagesPerSecond: 100 });
    await peer.say(...upTo(90).map((n) => subscribe(`room:${n}`)));
    await testNode.clock.advance(10_000);
    await peer.say({ type: "authenticate", token: "ada" }, { type: "authenticate", token: "ada" });
    // 200 in the bucket, and 2 × (1 + 16 + 90) are taken.
    expect(peer.connection.input.debtMs).toBeCloseTo(140, 0);
  });

  test("8 publications of a page", async () => {
    const { testNode, peer } = await slowPeer({ messagesPerSecond: 50 });
    for (const n of upTo(80)) await testNode.node.publish("room:1", "said", n);
    await testNode.clock.advance(10_000);
    const read: Said = { type: "read", channel: "room:1", count: 80 };
    await peer.say(...Array.from({ length: 10 }, () => read));
    // 100 in the bucket, and 10 × (1 + 10) are taken.
    expect(peer.connection.input.debtMs).toBeCloseTo(200, 0);
  });

  test.each(["its socket is gone", "it is closed"])(
    "8 publications of a page, and pages that wait for that end when %s",
    async (how) => {
      const { testNode, peer } = await slowPeer({ messagesPerSecond: 50 });
      for (const n of upTo(80)) await testNode.node.publish("room:1", "said", n);
      await testNode.clock.advance(10_000);
      const read: Said = { type: "read", channel: "room:1", count: 80 };
      await peer.say(...Array.from({ length: 20 }, () => read));
      const { connection } = peer;
      expect([connection.input.debtMs > 0, connection.input.heldBytes > 0]).toEqual([true, true]);
      if (how === "it is closed") connection.close("disconnected");
      else connection.gone();
      await testNode.clock.settle();
      expect(connection.input.heldBytes).toBe(0);
    },
  );

  test("a byte on the wire once, whatever it is part of", async () => {
    const { testNode, peer } = await slowPeer({ messagesPerSecond: 1e9, bytesPerSecond: 1_000 });
    peer.connection.input.arrived(2_000, 0, 0);
    expect(peer.socket.calls).toEqual([]);
    peer.connection.input.arrived(500, 0, 0);
    expect(peer.socket.calls).toEqual(["pause"]);
    await testNode.clock.advance(500);
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
    expect(testNode.node.counters.bytesIn).toBeGreaterThanOrEqual(2_500);
  });
});

describe("[FLOW-7] WebSocket pings and pongs", () => {
  test("may be 10 within ten seconds, and one more closes with 4429", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    for (let sent = 0; sent < 10; sent += 1) peer.connection.input.arrived(6, 1, 1);
    await testNode.clock.advance(1_000);
    for (let second = 0; second < 100; second += 1) {
      peer.connection.input.arrived(6, 1, 1);
      await testNode.clock.advance(1_000);
    }
    expect(closes(peer)).toEqual([]);
    peer.connection.input.arrived(12, 2, 2);
    expect(closes(peer)).toEqual(["close 4429 rate_limited"]);
  });

  test("may be 10 at once at any moment, whatever fractions its clock has", async () => {
    const testNode = new TestNode();
    for (let tried = 0; tried < 100; tried += 1) {
      await testNode.clock.advance(1_234.567_89 / 7);
      const peer = await testNode.openPeer(`user-${tried}`);
      peer.connection.input.arrived(60, 10, 10);
      expect(closes(peer)).toEqual([]);
    }
  });

  test("of which many come in one piece close at once", async () => {
    const testNode = new TestNode({ limits: { controlFramesMax: 3 } });
    for (const [count, closed] of [
      [3, []],
      [4, ["close 4429 rate_limited"]],
      [10_000, ["close 4429 rate_limited"]],
    ] as const) {
      const peer = await testNode.openPeer(`user-${count}`);
      peer.connection.input.arrived(6 * count, count, count);
      expect(closes(peer)).toEqual(closed);
    }
  });
});

describe("[CONN-4] before hello", () => {
  test("17 KiB may come on the wire, whatever they are: more close with 1009", async () => {
    const testNode = new TestNode();
    const peer = testNode.peer();
    for (let sent = 0; sent < 17; sent += 1) peer.connection.input.arrived(1_024, 1, 0);
    expect(closes(peer)).toEqual([]);
    peer.connection.input.arrived(1, 0, 0);
    expect(closes(peer)).toEqual(["close 1009 too_large"]);
  });

  test("256 frames may come, however small they are: one more closes with 1009", async () => {
    const testNode = new TestNode();
    const peer = testNode.peer();
    peer.connection.input.arrived(6 * 256, 256, 0);
    expect(closes(peer)).toEqual([]);
    peer.connection.input.arrived(6, 1, 0);
    expect(closes(peer)).toEqual(["close 1009 too_large"]);
    const other = await testNode.openPeer();
    other.connection.input.arrived(6 * 1_000, 1_000, 0);
    expect(closes(other)).toEqual([]);
  });

  test("what came counts until hello is accepted, and not after it", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    for (let sent = 0; sent < 100; sent += 1) peer.connection.input.arrived(1_024, 0, 0);
    expect(closes(peer)).toEqual([]);
  });
});

describe("[FLOW-5] a flood that doesn't end with its close", () => {
  test("isn't read, and its socket is destroyed in time", async () => {
    const { testNode, peer } = await slowPeer();
    await peer.say(...pings(130));
    expect(peer.socket.calls.slice(-2)).toEqual(["pause", "close 4429 rate_limited"]);
    peer.connection.input.arrived(60_000, 10_000, 0);
    expect(peer.socket.calls).not.toContain("resume");
    await testNode.clock.advance(testNode.limits.closeTimeoutMs + 250);
    expect(peer.socket.calls.at(-1)).toBe("destroy");
    expect(testNode.node.connections).toBe(0);
  });

  test("after another close is read within the limits only", async () => {
    const { peer } = await slowPeer();
    peer.connection.close("restarting");
    expect(peer.socket.calls).toEqual(["resume", "close 1012 restarting"]);
    peer.connection.input.arrived(6_000, 1_000, 0);
    expect(peer.socket.calls.at(-1)).toBe("pause");
  });
});

test("a message that can't be carried out costs its own connection, and none behind it", async () => {
  const testNode = new TestNode({ application: { onConnect: () => undefined } });
  const [peer, other] = [await testNode.openPeer(), await testNode.openPeer("bob")];
  vi.spyOn(testNode.node, "carryOut").mockImplementationOnce(() => {
    throw new Error("a bug");
  });
  peer.connection.input.receive(peer.text(PING));
  other.connection.input.receive(other.text(PING));
  await testNode.clock.settle();
  expect(peer.socket.calls).toEqual(["destroy"]);
  expect(other.heardInShort).toEqual(["pong r1"]);
  expect(testNode.errors).toHaveLength(1);
});
