// A channel's state: it comes with its place in the log, or not at all.
import { describe, expect, test } from "vitest";
import { tailwireError } from "@tailwire/protocol";
import type { SnapshotHook } from "@tailwire/server/core";
import { TestNode, type TestNodeOptions, type Peer, publish, type Said } from "../harness.ts";

const LATEST: Said = { type: "subscribe", channel: "room:1", start: "latest" };

function nodeWith(snapshot: SnapshotHook, options: TestNodeOptions = {}): TestNode {
  return new TestNode({
    channels: { "room:{id}": { retention: { count: 5 }, snapshot } },
    ...options,
  });
}

/** A peer of a channel that has seen 1 … n. */
async function peerAt(count: number, testNode: TestNode): Promise<Peer> {
  const peer = await testNode.openPeer();
  for (let number = 1; number <= count; number += 1) await peer.say(publish(number));
  peer.forget();
  return peer;
}

describe("[STATE-2] a subscribe with latest", () => {
  test("begins with the state, in the WebSocket message of its ack", async () => {
    const peer = await peerAt(
      3,
      nodeWith(({ position }) => ({ data: { sum: position.offset } })),
    );
    await peer.say(LATEST);
    expect(peer.heardInShort).toEqual(["ack r1", "snapshot", "caughtup"]);
    const [ack, snapshot] = peer.heard;
    expect(snapshot).toMatchObject({ type: "snapshot", data: { sum: 3 } });
    expect(snapshot).toMatchObject({ position: { offset: 3 } });
    expect(ack).toMatchObject({ position: { offset: 3 } });
    const [first = ""] = peer.socket.written;
    expect(first.includes('"ack"') && first.includes('"snapshot"')).toBe(true);
  });

  test("is asked for its channel and params, and the end of the log from before", async () => {
    const questions: unknown[] = [];
    const testNode = nodeWith((question) => {
      questions.push(question);
      return { data: null };
    });
    const peer = await peerAt(2, testNode);
    await peer.say(LATEST);
    expect(questions).toMatchObject([
      { channel: "room:1", params: { id: "1" }, position: { offset: 2 } },
    ]);
  });

  test("of any other start gets none", async () => {
    let asked = 0;
    const testNode = nodeWith(() => {
      asked += 1;
      return { data: null };
    });
    const peer = await peerAt(2, testNode);
    await peer.say({ ...LATEST, start: "earliest" });
    expect(peer.heardInShort).toEqual(["ack r1", "publication 1", "publication 2", "caughtup"]);
    expect(asked).toBe(0);
  });

  test("may have a state of bytes, and is then sent what came after its position", async () => {
    const testNode = nodeWith(({ position }) => ({
      data: Uint8Array.from([1, 2]),
      position: { ...position, offset: 1, id: null },
    }));
    const peer = await peerAt(3, testNode);
    await peer.say(LATEST);
    expect(peer.heardInShort).toEqual([
      "ack r1",
      "snapshot",
      "publication 2",
      "publication 3",
      "caughtup",
    ]);
    expect(peer.heard[1]).toMatchObject({ bytes: Uint8Array.from([1, 2]) });
  });

  test("shares one call of the application with those that ask at the same time", async () => {
    let asked = 0;
    let answer: () => void = () => undefined;
    const testNode = nodeWith(({ position }) => {
      asked += 1;
      return new Promise((resolve) => (answer = () => resolve({ data: position.offset })));
    });
    const peers = [
      await peerAt(1, testNode),
      await testNode.openPeer("bob"),
      await testNode.openPeer("eve"),
    ];
    for (const peer of peers) await peer.say(LATEST);
    answer();
    await testNode.clock.settle();
    expect(asked).toBe(1);
    for (const peer of peers) expect(peer.heardInShort).toEqual(["ack r1", "snapshot", "caughtup"]);
  });
});

test("[STATE-2] what is published while the application computes comes after the state", async () => {
  let answer: () => void = () => undefined;
  const testNode = nodeWith(
    ({ position }) => new Promise((resolve) => (answer = () => resolve({ data: position.offset }))),
  );
  const peer = await peerAt(2, testNode);
  const bob = await testNode.openPeer("bob");
  await peer.say(LATEST);
  await bob.say(publish(3), publish(4));
  answer();
  await testNode.clock.settle();
  expect(peer.heard[1]).toMatchObject({ type: "snapshot", data: 2, position: { offset: 2 } });
  expect(peer.heardInShort.slice(2)).toEqual(["publication 3", "publication 4", "caughtup"]);
});

describe("[STATE-2] the application is asked once a second at most", () => {
  /** A testNode whose states take 100 ms, and how often one was asked for. */
  function slowNode(): { readonly testNode: TestNode; readonly asked: () => number } {
    let asked = 0;
    const testNode: TestNode = nodeWith(({ position }) => {
      asked += 1;
      return new Promise((resolve) => {
        testNode.clock.after(100, () => resolve({ data: position.offset }));
      });
    });
    return { testNode, asked: () => asked };
  }

  /** Publishes one each millisecond. */
  async function publishFor(testNode: TestNode, ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1) {
      void testNode.node.publish("room:1", "said", passed);
      await testNode.clock.advance(1);
    }
  }

  test("while much is published, and what follows the state is all there", async () => {
    const { testNode, asked } = slowNode();
    const peers: Peer[] = [];
    for (const name of ["ada", "bob", "eve", "joe"]) {
      const peer = await testNode.openPeer(name);
      await peer.say(LATEST);
      peers.push(peer);
      await publishFor(testNode, 200);
    }
    expect(asked()).toBe(1);
    for (const peer of peers) {
      expect(peer.heardInShort.slice(0, 2)).toEqual(["ack r1", "snapshot"]);
      expect(peer.heardInShort).not.toContain("gap");
      const offsets = peer.heard.flatMap((one) => (one.type === "publication" ? one.offset : []));
      expect(offsets.at(-1)).toBe(800);
      expect(peer.heard[1]).toMatchObject({ position: { offset: (offsets[0] ?? 0) - 1 } });
      expect(offsets).toHaveLength(800 - (offsets[0] ?? 0) + 1);
    }
  });

  test("after which it is asked again, and the tail keeps what is retained and no more", async () => {
    const { testNode, asked } = slowNode();
    const peer = await testNode.openPeer();
    await peer.say(LATEST);
    await publishFor(testNode, 300);
    const { log } = testNode.node.channel("room:1");
    expect(log.tail?.count).toBe(300);
    await testNode.clock.advance(700);
    expect(log.tail?.count).toBe(5);
    await (await testNode.openPeer("bob")).say(LATEST);
    expect(asked()).toBe(2);
  });

  test("for gaps as well, each with the state and what follows it", async () => {
    const { testNode, asked } = slowNode();
    const peer = await testNode.openPeer();
    await peer.say(LATEST);
    await publishFor(testNode, 150);
    for (let times = 0; times < 3; times += 1) {
      peer.socket.completes = false;
      await publishFor(testNode, 20);
      peer.socket.completes = true;
      await peer.drain();
      await publishFor(testNode, 130);
    }
    expect(peer.heardInShort).not.toContain("unsubscribed");
    expect(peer.heardInShort.at(-1)).toBe("publication 600");
    expect(asked()).toBe(1);
  });
});

test("[STATE-3] a gap comes with the state, in one WebSocket message, and goes on after it", async () => {
  const peer = await peerAt(
    9,
    nodeWith(({ position }) => ({ data: position.offset })),
  );
  await peer.say({ ...LATEST, start: { epoch: "another", offset: 1, id: null } });
  expect(peer.heardInShort).toEqual(["ack r1", "gap", "snapshot", "caughtup"]);
  const [, gap, snapshot] = peer.heard;
  expect(gap).toMatchObject({ reason: "epoch", continuesAfter: { offset: 9 } });
  expect(snapshot).toMatchObject({ data: 9, position: { offset: 9 } });
  const message = peer.socket.written.find((text) => text.includes('"gap"'));
  expect(message?.includes('"snapshot"')).toBe(true);
});

test("[FLOW-3] large states are given one by one, each when the one before has left", async () => {
  const testNode = nodeWith(() => ({ data: "x".repeat(60_000) }));
  const peer = await testNode.openPeer();
  peer.socket.completes = false;
  await peer.say(...["room:1", "room:2", "room:3"].map((channel) => ({ ...LATEST, channel })));
  const states = (): number => peer.heardInShort.filter((one) => one === "snapshot").length;
  for (let count = 1; count <= 3; count += 1) {
    expect(states()).toBe(count);
    expect(peer.connection.heldBytes).toBeLessThan(10_000);
    // The messages behind the state leave, and then the next state.
    await peer.drain();
  }
});

describe("[STATE-4] a state", () => {
  test("from a place that the log can't go on from is asked for three times, then given up", async () => {
    let asked = 0;
    const testNode = nodeWith(({ position }) => {
      asked += 1;
      return { data: null, position: { ...position, offset: 99 } };
    });
    const peer = await peerAt(2, testNode);
    await peer.say(LATEST);
    await testNode.clock.advance(2_000);
    expect(peer.heardInShort).toEqual(["error r1 snapshot_unavailable"]);
    expect(asked).toBe(3);
    expect(peer.connection.subscriptions.size).toBe(0);
  });

  test("that the log passed by is asked for again, and is right the second time", async () => {
    let asked = 0;
    const testNode = nodeWith(({ position }) => {
      asked += 1;
      return { data: asked, position: asked === 1 ? { ...position, epoch: "old" } : position };
    });
    const peer = await peerAt(2, testNode);
    await peer.say(LATEST);
    await testNode.clock.advance(1_000);
    expect(peer.heardInShort).toEqual(["ack r1", "snapshot", "caughtup"]);
    expect(peer.heard[1]).toMatchObject({ data: 2 });
  });

  const failing: readonly [string, SnapshotHook][] = [
    [
      "whose application fails",
      () => {
        throw new Error("secret");
      },
    ],
    [
      "that the application refuses",
      () => {
        throw tailwireError("unavailable");
      },
    ],
    ["that is no JSON value", () => ({ data: undefined })],
    ["that is too large", () => ({ data: "x".repeat(70_000) })],
    ["that never comes", () => new Promise(() => undefined)],
  ];
  test.each(failing)("%s can't be had, and may be later", async (_what, hook) => {
    const testNode = nodeWith(hook);
    const peer = await peerAt(1, testNode);
    await peer.say(LATEST);
    await testNode.clock.advance(6_000);
    expect(peer.heardInShort).toEqual(["error r1 snapshot_unavailable"]);
    expect(peer.heard[0]).toMatchObject({ retry: true, fault: "server" });
    expect(JSON.stringify(peer.heard)).not.toContain("secret");
  });

  test("that can't be had after a gap ends the subscription", async () => {
    const testNode = nodeWith(() => {
      throw new Error("down");
    });
    const peer = await peerAt(9, testNode);
    await peer.say({ ...LATEST, start: { epoch: "another", offset: 1, id: null } });
    expect(peer.heardInShort).toEqual(["ack r1", "unsubscribed"]);
    expect(peer.heard[1]).toMatchObject({ code: "snapshot_unavailable", retry: true });
    expect(peer.connection.subscriptions.size).toBe(0);
  });
});
