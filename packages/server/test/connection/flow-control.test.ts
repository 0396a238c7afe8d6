// A connection whose socket is full, or for which too much waits: it holds no more.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Broker } from "@tailwire/server/broker-contract";
import { changed } from "@tailwire/simulation";
import { TestNode, type Peer, publish, type Said, subscribe } from "../harness.ts";

const PING: Said = { type: "ping" };

/** Bytes of the answer to a ping, as they are counted in the queue. */
const PONG_BYTES = '{"type":"pong","id":"s1","timestamp":1700000000000,"re":"r1"}\n'.length;

/** Appends that end when the test says so. */
function heldAppends(): { wrapBroker: (broker: Broker) => Broker; go: () => void } {
  let waiting: (() => void)[] = [];
  const go = (): void => {
    const all = waiting;
    waiting = [];
    for (const resolve of all) resolve();
  };
  const wrapBroker = (broker: Broker): Broker =>
    changed(broker, (log) => ({
      append: async (batch) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return log.append(batch);
      },
    }));
  return { wrapBroker, go };
}

/** A peer that follows a channel, and whose socket is blocked by its next write. */
async function blockedSubscriber(testNode: TestNode): Promise<Peer> {
  const peer = await testNode.openPeer("bob");
  await peer.say(subscribe());
  peer.forget();
  peer.socket.completes = false;
  return peer;
}

describe("a blocked socket", () => {
  test("[FLOW-1] is written nothing, and then all that the log has, in one run", async () => {
    const testNode = new TestNode();
    const slow = await blockedSubscriber(testNode);
    const fast = await testNode.openPeer("cleo");
    await fast.say(subscribe());
    for (let n = 1; n <= 100; n += 1) {
      await testNode.node.publish("room:1", "said", n);
      await testNode.clock.advance(10);
    }
    expect(slow.heardInShort).toEqual(["publication 1"]);
    expect(fast.heardInShort).toContain("publication 100");
    slow.socket.completes = true;
    await slow.drain();
    const run = Array.from({ length: 100 }, (_, index) => `publication ${index + 1}`);
    expect(slow.heardInShort).toEqual(run);
    expect(slow.socket.violations).toEqual([]);
  });

  test("[FLOW-1] costs no memory that grows with what is published", async () => {
    const testNode = new TestNode();
    const peer = await blockedSubscriber(testNode);
    for (let n = 1; n <= 500; n += 1)
      await testNode.node.publish("room:1", "said", "x".repeat(1_000));
    await testNode.clock.settle();
    expect(peer.connection.heldBytes).toBe(0);
  });

  test("[FLOW-1] that retention has passed gets a counted gap, and goes on after it", async () => {
    const testNode = new TestNode({ limits: { tailBytesMax: 2_000 } });
    const peer = await blockedSubscriber(testNode);
    for (let n = 1; n <= 10_050; n += 1) void testNode.node.publish("room:1", "said", n);
    await testNode.clock.settle();
    peer.socket.completes = true;
    await peer.drain();
    const first = peer.heard.findIndex(({ type }) => type === "gap");
    const before = peer.heard.slice(0, first).length;
    expect(peer.heard[first]).toMatchObject({ reason: "trimmed", lost: 50 - before });
    expect(peer.heardInShort.slice(first + 1)).toEqual([
      ...Array.from({ length: 10_000 }, (_, index) => `publication ${index + 51}`),
      "caughtup",
    ]);
  });

  test("answers wait for it, and go out before publications that came later", async () => {
    const testNode = new TestNode();
    const peer = await blockedSubscriber(testNode);
    await testNode.node.publish("room:1", "said", 1);
    await testNode.clock.settle();
    await peer.say(PING);
    await testNode.node.publish("room:1", "said", 2);
    await testNode.clock.settle();
    expect(peer.heardInShort).toEqual(["publication 1"]);
    await peer.drain();
    expect(peer.heardInShort).toEqual(["publication 1", "pong r1", "publication 2"]);
  });

  test("[FLOW-2] closes with 4413 after stallMs, and not before", async () => {
    const testNode = new TestNode({ limits: { stallMs: 3_000 } });
    const peer = await blockedSubscriber(testNode);
    await peer.say(PING);
    await testNode.clock.advance(2_999);
    expect(peer.connection.state).toBe("open");
    await testNode.clock.advance(251);
    expect(peer.socket.calls).toEqual(["resume", "close 4413 slow_consumer"]);
    expect(peer.socket.violations).toEqual([]);
  });

  test("[FLOW-2] that drains in time stays, however often it blocks", async () => {
    const testNode = new TestNode({ limits: { stallMs: 3_000 } });
    const peer = await blockedSubscriber(testNode);
    for (let round = 0; round < 20; round += 1) {
      await peer.say(PING);
      await testNode.clock.advance(2_700);
      await peer.drain();
    }
    expect(peer.connection.state).toBe("open");
  });

  test("[FLOW-2] is counted from the write that hasn't left, not from the first that blocked", async () => {
    const testNode = new TestNode({ limits: { stallMs: 3_000 } });
    const peer = await blockedSubscriber(testNode);
    await peer.say(PING);
    await peer.say(PING);
    await testNode.clock.advance(2_000);
    await peer.drain();
    await testNode.clock.advance(2_000);
    expect(peer.connection.state).toBe("open");
    await testNode.clock.advance(1_250);
    expect(peer.connection.state).toBe("closing");
  });

  test("[FLOW-1] is never written to, whatever happens meanwhile", async () => {
    const step = fc.constantFrom(
      "ping",
      "publish",
      "subscribe",
      "unsubscribe",
      "own",
      "tick",
      "drain",
      "block",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const testNode = new TestNode();
        const peer = await testNode.openPeer();
        const does: Record<(typeof steps)[number], () => Promise<unknown>> = {
          ping: () => peer.say(PING),
          publish: () => testNode.node.publish("room:1", "said", 1),
          subscribe: () => peer.say(subscribe()),
          unsubscribe: () => peer.say({ type: "unsubscribe", channel: "room:1" }),
          own: () => peer.say(publish("x".repeat(500))),
          tick: () => testNode.clock.advance(700),
          drain: () => peer.drain(),
          block: () => {
            peer.socket.completes = !peer.socket.completes;
            return Promise.resolve();
          },
        };
        for (const what of steps) await does[what]();
        await testNode.clock.settle();
        expect(peer.socket.violations).toEqual([]);
      }),
    );
  });
});

describe("answers that wait", () => {
  test("[FLOW-3] over controlBytesMax stop reading, and at half of it reading goes on", async () => {
    const testNode = new TestNode({ limits: { controlBytesMax: 20 * PONG_BYTES } });
    const peer = await blockedSubscriber(testNode);
    await peer.say(PING);
    for (let count = 1; count < 19; count += 1) await peer.say(PING);
    expect(peer.socket.calls).toEqual([]);
    while (peer.socket.calls.length === 0) await peer.say(PING);
    expect(peer.socket.calls).toEqual(["pause"]);
    expect(peer.connection.heldBytes).toBeGreaterThan(20 * PONG_BYTES);
    expect(peer.connection.heldBytes).toBeLessThan(22 * PONG_BYTES);
    await peer.drain();
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
    expect(peer.connection.heldBytes).toBe(0);
    expect(peer.socket.violations).toEqual([]);
  });

  test("[FLOW-3] are 64 KiB by default", async () => {
    const peer = await blockedSubscriber(new TestNode());
    await peer.say(PING);
    while (peer.socket.calls.length === 0) await peer.say(PING);
    expect(peer.connection.heldBytes).toBeGreaterThan(65_536);
    expect(peer.connection.heldBytes).toBeLessThan(65_536 + 100);
  });

  test("[FLOW-2] and are never taken close the connection, though it isn't read", async () => {
    const testNode = new TestNode({ limits: { controlBytesMax: 10 * PONG_BYTES } });
    const peer = await blockedSubscriber(testNode);
    for (let count = 0; count < 20; count += 1) await peer.say(PING);
    await testNode.clock.advance(testNode.limits.stallMs + 250);
    expect(peer.socket.calls).toEqual(["pause", "resume", "close 4413 slow_consumer"]);
  });
});

describe("requests in progress", () => {
  test("[FLOW-3] over requestBytesMax stop reading, and at half of it reading goes on", async () => {
    const { wrapBroker, go } = heldAppends();
    const testNode = new TestNode({ wrapBroker, limits: { requestBytesMax: 16_384 } });
    const peer = await testNode.openPeer();
    const channels = Array.from({ length: 5 }, (_, index) => `room:${index}`);
    for (const channel of channels.slice(0, 3)) await peer.say(publish("x".repeat(4_000), channel));
    expect(peer.socket.calls).toEqual([]);
    await peer.say(publish("x".repeat(4_000), "room:3"));
    expect(peer.socket.calls).toEqual(["pause"]);
    go();
    await testNode.clock.settle();
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
    expect(peer.connection.heldBytes).toBe(0);
    expect(peer.heardInShort.toSorted()).toEqual(["ack r1", "ack r2", "ack r3", "ack r4"]);
  });

  test("[FLOW-3] count what each holds beside its data", async () => {
    const { wrapBroker, go } = heldAppends();
    const testNode = new TestNode({ wrapBroker, limits: { requestBytesMax: 16_384 } });
    const peer = await testNode.openPeer();
    for (let count = 0; count < 40; count += 1) await peer.say(publish(1));
    expect(peer.socket.calls).toEqual(["pause"]);
    go();
    await testNode.clock.settle();
    go();
    await testNode.clock.settle();
    expect(peer.socket.calls).toEqual(["pause", "resume"]);
  });

  test("[PUB-10] that the broker never answers are let go of, and reading goes on", async () => {
    const { wrapBroker } = heldAppends();
    const testNode = new TestNode({ wrapBroker, limits: { requestBytesMax: 1_000 } });
    const peer = await testNode.openPeer();
    await peer.say(publish("x".repeat(2_000)));
    expect(peer.socket.calls.at(-1)).toBe("pause");
    await testNode.clock.advance(testNode.limits.appendMs);
    expect(peer.heardInShort).toContain("error r1 indeterminate");
    expect(peer.socket.calls.at(-1)).toBe("resume");
    expect(peer.connection.heldBytes).toBe(0);
  });
});
