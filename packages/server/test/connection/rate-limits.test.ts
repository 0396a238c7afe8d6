// Rate limits: first the server rests, then it refuses, then it closes. Others notice nothing.
import { describe, expect, test } from "vitest";
import { SimulatedClock } from "@tailwire/simulation";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { InboundRate } from "../../src/connection/rate-limit.ts";
import { TestNode, type Peer, publish, type Said, subscribe } from "../harness.ts";

const PING: Said = { type: "ping" };
const pings = (count: number): readonly Said[] => Array.from({ length: count }, () => PING);
const closes = ({ socket }: Peer): readonly string[] =>
  socket.calls.filter((call) => call.startsWith("close"));

/** Ten messages a second, twenty at once. `hello` is the first. */
const slowNode = (): TestNode =>
  new TestNode({ limits: { messagesPerSecond: 10, burstSeconds: 2, bytesPerSecond: 1e9 } });

/** A peer with its bucket full. */
async function fullPeer(testNode: TestNode, user = "ada"): Promise<Peer> {
  const peer = await testNode.openPeer(user);
  await testNode.clock.advance(2_000);
  return peer;
}

describe("a bucket", () => {
  const limits = { ...DEFAULT_LIMITS, messagesPerSecond: 10, burstSeconds: 2, bytesPerSecond: 1e9 };
  const inbound = (clock: SimulatedClock): InboundRate =>
    new InboundRate(clock, limits, { rested: () => undefined });
  const debtsOf = (rate: InboundRate, ...taken: readonly number[]): readonly number[] =>
    taken.map((messages) => {
      rate.charge(messages, 0);
      return Math.round(rate.debtMs);
    });

  test("holds a burst, fills steadily, and says how long a debt takes", async () => {
    const clock = new SimulatedClock();
    const rate = inbound(clock);
    expect(debtsOf(rate, 20, 5, 5)).toEqual([0, 500, 1_000]);
    await clock.advance(1_000);
    expect(debtsOf(rate, 0)).toEqual([0]);
    await clock.advance(1_000);
    expect(debtsOf(rate, 10, 1)).toEqual([0, 100]);
    await clock.advance(1_000_000);
    expect(debtsOf(rate, 20, 1)).toEqual([0, 100]);
  });

  test("counts bytes as it counts messages, and the larger debt is the one to wait out", () => {
    const rate = new InboundRate(
      new SimulatedClock(),
      { ...limits, bytesPerSecond: 1_000 },
      { rested: () => undefined },
    );
    expect([rate.charge(0, 2_500), Math.round(rate.debtMs)]).toEqual([true, 500]);
    expect([rate.charge(26, 0), Math.round(rate.debtMs)]).toEqual([true, 600]);
    expect(rate.charge(0, 10_000)).toBe(false);
  });

  test("isn't moved by a wall clock that jumps", () => {
    const clock = new SimulatedClock();
    const rate = inbound(clock);
    expect(debtsOf(rate, 20)).toEqual([0]);
    clock.jump(1_000_000);
    expect(debtsOf(rate, 1)).toEqual([100]);
    clock.jump(-2_000_000);
    expect(debtsOf(rate, 1)).toEqual([200]);
  });
});

describe("[FLOW-5] a connection that sends too much", () => {
  test("isn't read until its debt is paid, everything is answered, and it goes on", async () => {
    const testNode = slowNode();
    const peer = await fullPeer(testNode);
    await peer.say(...pings(20));
    expect(peer.socket.calls).toEqual([]);
    await peer.say(...pings(10));
    expect(peer.heard).toHaveLength(30);
    expect(peer.socket.calls).toEqual(["pause"]);
    await testNode.clock.advance(999);
    expect(peer.socket.calls).toEqual(["pause"]);
    await testNode.clock.advance(1);
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
    await testNode.clock.advance(100);
    await peer.say(PING);
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
  });

  test("and more while it isn't read rests for longer, and only once", async () => {
    const testNode = slowNode();
    const peer = await fullPeer(testNode);
    await peer.say(...pings(25));
    await testNode.clock.advance(400);
    await peer.say(...pings(5));
    await testNode.clock.advance(599);
    expect(peer.socket.calls).toEqual(["pause"]);
    await testNode.clock.advance(1);
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
    await testNode.clock.advance(60_000);
    expect(peer.socket.calls.filter((call) => call === "pause")).toHaveLength(1);
  });

  test("bytes count as well, as UTF-8", async () => {
    const testNode = new TestNode({ limits: { bytesPerSecond: 10_000, burstSeconds: 1 } });
    const peer = await testNode.openPeer();
    await testNode.clock.advance(1_000);
    await peer.say(publish("é".repeat(7_000)));
    expect(peer.heardInShort).toEqual(["ack r1"]);
    expect(peer.socket.calls).toEqual(["pause"]);
    await testNode.clock.advance(500);
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
  });

  test("above 2 s of debt: publications are rate_limited, and retryAfterMs says until when", async () => {
    const testNode = slowNode();
    const peer = await fullPeer(testNode);
    await peer.say(...pings(39));
    await peer.say({ ...publish("in time"), id: "in-time" });
    await peer.say({ ...publish("x"), id: "x" }, { ...publish("y"), id: "y" });
    const [inTime, x, y] = peer.heard.slice(39);
    expect(inTime).toMatchObject({ type: "ack", re: "in-time" });
    expect(x).toMatchObject({ re: "x", code: "rate_limited", retry: true, retryAfterMs: 2_200 });
    expect(y).toMatchObject({ re: "y", code: "held", retry: true, retryAfterMs: 2_200 });
    // Its other requests are answered.
    await peer.say({ ...PING, id: "ping" }, { ...publish(1, "nowhere"), id: "nowhere" });
    expect(peer.heardInShort).toContain("pong ping");
    await testNode.clock.advance(2_400);
    await peer.say({ ...publish("x"), id: "x" }, { ...publish("y"), id: "y" });
    expect(peer.heardInShort.slice(-2)).toEqual(["ack x", "ack y"]);
    expect(closes(peer)).toEqual([]);
  });

  test("a refusal for good says nothing about when to try again", async () => {
    const testNode = slowNode();
    const peer = await fullPeer(testNode);
    await peer.say(...pings(25));
    await peer.say({ ...publish(1, "nowhere"), id: "nowhere" });
    const refusal = peer.heard.at(-1);
    expect(refusal).toMatchObject({ re: "nowhere", code: "forbidden", retry: false });
    expect(refusal).not.toHaveProperty("retryAfterMs");
  });

  test("above 10 s of debt it is closed with 4429, and nothing more is carried out", async () => {
    const testNode = slowNode();
    const peer = await fullPeer(testNode);
    await peer.say(...pings(120));
    expect(closes(peer)).toEqual([]);
    await peer.say({ ...publish("too much"), id: "x" });
    expect(closes(peer)).toEqual(["close 4429 rate_limited"]);
    expect(peer.heard).toHaveLength(120);
    expect(peer.socket.violations).toEqual([]);
    peer.connection.gone();
    const { offset } = await testNode.node.publish("room:1", "said", "first");
    expect(offset).toBe(1);
    await testNode.clock.advance(60_000);
    expect(testNode.node.connections).toBe(0);
  });

  test("and asks for many pages is given them as fast as it may, and isn't closed", async () => {
    const testNode = slowNode();
    for (let said = 0; said < 80; said += 1) await testNode.node.publish("room:1", "said", said);
    const peer = await fullPeer(testNode);
    const read: Said = { type: "read", channel: "room:1", count: 80 };
    const pages = (): number => peer.heardInShort.filter((said) => said.startsWith("ack")).length;
    // A page costs as much as ten messages, so these are 165 messages.
    await peer.say(...Array.from({ length: 15 }, () => read));
    await testNode.clock.advance(5_000);
    expect(pages()).toBeGreaterThan(4);
    expect(pages()).toBeLessThan(9);
    await testNode.clock.advance(10_000);
    expect(pages()).toBe(15);
    expect(closes(peer)).toEqual([]);
  });

  test("counts from the upgrade on, so that hello is no way around it", async () => {
    const testNode = slowNode();
    const peer = testNode.peer();
    await peer.say(...pings(1));
    expect(closes(peer)).toEqual(["close 4502 protocol_violation"]);
    const other = testNode.peer();
    await other.say(...pings(130));
    expect(closes(other)).toEqual(["close 4429 rate_limited"]);
    expect(other.heard).toEqual([]);
  });

  test("doesn't disturb others, and still hears what others publish", async () => {
    const testNode = slowNode();
    const [greedy, other] = [await fullPeer(testNode), await fullPeer(testNode, "bob")];
    await greedy.say(subscribe());
    await greedy.say(...pings(60));
    await other.say(publish("undisturbed"));
    expect(other.heardInShort).toEqual(["ack r1"]);
    expect(other.socket.calls).toEqual([]);
    expect(greedy.heardInShort.at(-1)).toBe("publication 1");
  });

  test("isn't dropped for its silence while it isn't read", async () => {
    const testNode = new TestNode({
      limits: { messagesPerSecond: 1, burstSeconds: 1, pingIntervalMs: 1_000, pongTimeoutMs: 500 },
    });
    const peer = await testNode.openPeer();
    await peer.say(...pings(9));
    await testNode.clock.advance(8_500);
    expect(closes(peer)).toEqual([]);
  });

  test("and goes while it rests leaves no timer that does anything", async () => {
    const testNode = slowNode();
    const peer = await fullPeer(testNode);
    await peer.say(...pings(30));
    peer.connection.gone();
    await testNode.clock.advance(60_000);
    expect(peer.socket.calls).toEqual(["pause"]);
  });
});
