// A log that keeps little must not collapse: who falls behind is told a gap, and goes on with what
// there is. Costs are counted in calls of the broker, never in time.
import { describe, expect, test } from "vitest";
import type { Broker, ReadResult } from "@tailwire/server/broker-contract";
import { changed } from "@tailwire/simulation";
import { TestNode, type Peer, type Said } from "../harness.ts";

const LATEST: Said = { type: "subscribe", channel: "room:1", start: "latest" };

/** A broker whose reads take a while, and how many it was asked for. */
class SlowReads {
  reads = 0;
  readonly #ms: number;
  wait: (ms: number) => Promise<void> = () => Promise.resolve();

  constructor(ms: number) {
    this.#ms = ms;
  }

  readonly wrap = (broker: Broker): Broker =>
    changed(broker, (log) => ({
      read: (after, limit) => this.#answer(log.read(after, limit)),
    }));

  async #answer(read: Promise<ReadResult>): Promise<ReadResult> {
    this.reads += 1;
    const result = await read;
    await this.wait(this.#ms);
    return result;
  }
}

interface Room {
  readonly testNode: TestNode;
  readonly peers: readonly Peer[];
  readonly broker: SlowReads;
}

async function roomOf(count: number, retention: object, peerCount = 3): Promise<Room> {
  const broker = new SlowReads(5);
  const channels = { "room:{id}": { retention: { count, ...retention } } };
  const testNode = new TestNode({ channels, wrapBroker: broker.wrap });
  broker.wait = (ms) => new Promise((resolve) => testNode.clock.after(ms, () => resolve()));
  const peers: Peer[] = [];
  for (let index = 0; index < peerCount; index += 1) {
    const peer = await testNode.openPeer(`user ${index}`);
    await peer.say(LATEST);
    peer.forget();
    peers.push(peer);
  }
  return { testNode, peers, broker };
}

/** Publishes one each millisecond. */
async function publishEach({ testNode }: Room, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    void testNode.node.publish("room:1", "said", number);
    await testNode.clock.advance(1);
  }
}

/** Publications that a peer was delivered, and told are lost: together all that there were. */
function accountOf(peer: Peer): { delivered: number; lost: number; gaps: number } {
  let [delivered, lost, gaps] = [0, 0, 0];
  for (const message of peer.heard) {
    if (message.type === "publication") delivered += 1;
    if (message.type !== "gap") continue;
    gaps += 1;
    lost += message.lost ?? NaN;
  }
  return { delivered, lost, gaps };
}

describe("[DEL-4] a peer whose socket was full for a while", () => {
  for (const count of [1, 5]) {
    test(`is told one gap where ${count} are retained, and gets all that follows`, async () => {
      const room = await roomOf(count, {});
      const slow = room.peers[0] as Peer;
      slow.socket.completes = false;
      await publishEach(room, 1, 20);
      slow.socket.completes = true;
      await slow.drain();
      await publishEach(room, 21, 100);
      expect(accountOf(slow)).toEqual({ delivered: 81 + count, lost: 19 - count, gaps: 1 });
      expect(accountOf(room.peers[1] as Peer)).toEqual({ delivered: 100, lost: 0, gaps: 0 });
      expect(room.broker.reads).toBe(0);
    });
  }
});

test("a hundred at one moment reach everybody who keeps up, however few are retained", async () => {
  const room = await roomOf(1, { bytes: 1 });
  for (let number = 1; number <= 100; number += 1) {
    void room.testNode.node.publish("room:1", "said", number);
  }
  await room.testNode.clock.advance(1);
  for (const peer of room.peers) {
    expect(accountOf(peer)).toEqual({ delivered: 100, lost: 0, gaps: 0 });
  }
  expect(room.broker.reads).toBe(0);
});

test("the tail keeps no more than is retained when everybody has been served", async () => {
  const { testNode, peers } = await roomOf(3, {});
  for (let number = 1; number <= 100; number += 1)
    void testNode.node.publish("room:1", "said", number);
  await testNode.clock.advance(1);
  expect(testNode.node.channel("room:1").log.tail?.count).toBe(3);
  expect(accountOf(peers[0] as Peer).delivered).toBe(100);
});

test("a publication that is larger than its channel retains reaches everybody", async () => {
  const room = await roomOf(10, { bytes: 500 });
  const slow = room.peers[0] as Peer;
  slow.socket.completes = false;
  for (const letter of "abc") {
    void room.testNode.node.publish("room:1", "said", letter.repeat(5_000));
    await room.testNode.clock.advance(1);
  }
  slow.socket.completes = true;
  await slow.drain();
  expect(accountOf(slow)).toEqual({ delivered: 2, lost: 1, gaps: 1 });
  expect(accountOf(room.peers[1] as Peer)).toEqual({ delivered: 3, lost: 0, gaps: 0 });
});

describe("[DEL-4] what follows a gap goes with it", () => {
  /** Types of the messages that each write has carried. */
  const writesOf = ({ socket, heard }: Peer): string[][] => {
    let frame = 0;
    let said = 0;
    return socket.writes.map((frames) => {
      const lines = socket.written
        .slice(frame, (frame += frames))
        .join("")
        .trim()
        .split("\n");
      return heard.slice(said, (said += lines.length)).map(({ type }) => type);
    });
  };

  test("in the same write, where that has no room any more", async () => {
    const room = await roomOf(1, {}, 1);
    const slow = room.peers[0] as Peer;
    slow.socket.completes = false;
    await publishEach(room, 1, 3);
    slow.forget();
    // Answers that fill the next write.
    const { output } = slow.connection;
    while (output.bytes < room.testNode.limits.flushBytesMax - 100)
      slow.connection.say({ type: "ping" });
    await slow.drain();
    const [first = []] = writesOf(slow);
    expect(first.slice(-2)).toEqual(["gap", "publication"]);
  });

  test("where the broker tells it, as of another epoch, and no second gap is in that write", async () => {
    const room = await roomOf(1, {}, 1);
    const peer = room.peers[0] as Peer;
    await peer.say({ type: "unsubscribe", channel: "room:1" });
    await publishEach(room, 1, 3);
    peer.forget();
    await peer.say({ ...LATEST, start: { epoch: "another", offset: 1, id: null } });
    await publishEach(room, 4, 40);
    await room.testNode.clock.advance(20);
    const { delivered, lost, gaps } = accountOf(peer);
    expect(Number.isNaN(lost)).toBe(true);
    expect(delivered).toBeGreaterThan(25);
    expect(gaps).toBeLessThan(3);
    for (const write of writesOf(peer)) {
      const at = write.indexOf("gap");
      if (at < 0) continue;
      expect(write[at + 1]).toBe("publication");
      expect(write.indexOf("gap", at + 1)).toBe(-1);
    }
  });
});
