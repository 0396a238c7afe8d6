// Heartbeats: the server pings, hears anything as life, and gives up after two silences.
import { describe, expect, test } from "vitest";
import { changed } from "@tailwire/simulation";
import { TestNode, type Peer, publish } from "../harness.ts";

/** When, in milliseconds from now, pings and the close come: looked for every 50 ms. */
async function timeline(
  testNode: TestNode,
  peer: Peer,
  ms: number,
): Promise<readonly [string, number][]> {
  const seen: [string, number][] = [];
  let pings = 0;
  for (let at = 50; at <= ms; at += 50) {
    await testNode.clock.advance(50);
    const now = peer.heard.filter(({ type }) => type === "ping").length;
    if (now > pings) seen.push(["ping", at]);
    pings = now;
    const close = peer.socket.calls.find((call) => call.startsWith("close"));
    if (close !== undefined) return [...seen, [close, at]];
  }
  return seen;
}

describe("a silent peer", () => {
  test("[LIVE-1] is pinged at half the interval or later, then once an interval, and dropped", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    const events = await timeline(testNode, peer, 120_000);
    expect(events.map(([what]) => what)).toEqual(["ping", "ping", "close 4409 heartbeat_timeout"]);
    const [first = 0, second = 0, close = 0] = events.map(([, at]) => at);
    expect(first).toBeGreaterThanOrEqual(12_500);
    expect(first).toBeLessThanOrEqual(25_300);
    // A tick late at most, each.
    expect(second - first).toBeGreaterThanOrEqual(24_750);
    expect(second - first).toBeLessThanOrEqual(25_300);
    expect(close - second).toBeGreaterThanOrEqual(9_750);
    expect(close - second).toBeLessThanOrEqual(10_300);
  });

  test("[LIVE-1] connections that came at once aren't pinged at once", async () => {
    const testNode = new TestNode();
    const firsts = new Set<number>();
    const peers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => testNode.openPeer(`user ${n}`)),
    );
    for (let at = 0; at < 26_000; at += 250) {
      await testNode.clock.advance(250);
      for (const peer of peers) if (peer.heard.length === 1) firsts.add(at);
      for (const peer of peers) if (peer.heard.length === 1) peer.forget();
    }
    expect(firsts.size).toBeGreaterThan(10);
  });
});

describe("a peer that lives", () => {
  const lives = {
    "a pong": (peer: Peer) => peer.say({ type: "pong", re: "s2" }),
    "a ping": (peer: Peer) => peer.say({ type: "ping" }),
    "a publish": (peer: Peer) => peer.say(publish(1)),
    "a WebSocket ping or pong": (peer: Peer) => peer.connection.heartbeat.heard(),
  };

  test.each(Object.entries(lives))("[LIVE-2] %s now and then keeps it", async (_, live) => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    for (let round = 0; round < 20; round += 1) {
      await testNode.clock.advance(34_000);
      await live(peer);
    }
    expect(peer.connection.state).toBe("open");
  });

  test("[LIVE-2] something in the last moment keeps it", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    await testNode.clock.until(() => peer.heard.length === 2);
    await testNode.clock.advance(testNode.limits.pongTimeoutMs - 1);
    peer.connection.heartbeat.heard();
    await testNode.clock.advance(1_000);
    expect(peer.connection.state).toBe("open");
  });

  test("[LIVE-4] its ping is answered at once, naming it", async () => {
    const testNode = new TestNode();
    const peer = await testNode.openPeer();
    await peer.say({ type: "ping", id: "are-you-there" });
    expect(peer.heardInShort).toEqual(["pong are-you-there"]);
  });

  test("[LIVE-1] it isn't pinged before hello", async () => {
    const testNode = new TestNode({ limits: { helloTimeoutMs: 60_000 } });
    const peer = testNode.peer();
    await testNode.clock.advance(59_000);
    expect(peer.heard).toEqual([]);
  });

  test("[LIVE-2] its silence isn't held against it while the server doesn't read", async () => {
    const testNode = new TestNode({
      limits: { requestBytesMax: 100, appendMs: 1_000_000 },
      wrapBroker: (broker) =>
        changed(broker, () => ({ append: () => new Promise(() => undefined) })),
    });
    const peer = await testNode.openPeer();
    await peer.say(publish("x".repeat(200)));
    expect(peer.socket.calls.at(-1)).toBe("pause");
    await testNode.clock.advance(200_000);
    expect(peer.connection.state).toBe("open");
  });
});

describe("[CONN-9] a message that comes in part", () => {
  test("has to be complete after messageMs, however its peer answers pings", async () => {
    const testNode = new TestNode({ limits: { messageMs: 60_000 } });
    const peer = await testNode.openPeer();
    peer.connection.heartbeat.assemble(true, false);
    for (let at = 0; at < 59_000; at += 1_000) {
      await testNode.clock.advance(1_000);
      peer.connection.heartbeat.heard();
      peer.connection.heartbeat.assemble(true, false);
    }
    expect(peer.connection.state).toBe("open");
    await testNode.clock.advance(2_000);
    expect(peer.socket.calls).toContain("close 4411 message_timeout");
  });

  test("may take as long again when one was completed meanwhile, and is forgotten when it is", async () => {
    const testNode = new TestNode({ limits: { messageMs: 10_000 } });
    const peer = await testNode.openPeer();
    peer.connection.heartbeat.assemble(true, false);
    await testNode.clock.advance(9_000);
    peer.connection.heartbeat.assemble(true, true);
    await testNode.clock.advance(9_000);
    expect(peer.connection.state).toBe("open");
    peer.connection.heartbeat.assemble(false, true);
    await testNode.clock.advance(12_000);
    expect(peer.connection.state).toBe("open");
  });

  test("isn't held against a peer that isn't read", async () => {
    const testNode = new TestNode({ limits: { messageMs: 10_000, requestBytesMax: 1_000 } });
    const peer = await testNode.openPeer();
    peer.connection.heartbeat.assemble(true, false);
    peer.connection.input.account(5_000);
    await testNode.clock.advance(29_000);
    expect(peer.connection.state).toBe("open");
    peer.connection.input.account(-5_000);
    await testNode.clock.advance(9_000);
    expect(peer.connection.state).toBe("open");
    await testNode.clock.advance(2_000);
    expect(peer.socket.calls).toContain("close 4411 message_timeout");
  });
});
