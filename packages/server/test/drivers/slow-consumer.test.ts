// Slow consumers on real sockets: one that doesn't read costs the others nothing and the server a
// write, and catches up from the log when it reads again.
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { frame, type Message, offsets, type Peer, subscribed } from "./peer.ts";
import { Proxy } from "./proxy.ts";
import { connect, Follower, serve, type Served, turn, turns, until, upTo } from "./support.ts";

const LARGE = { count: 200_000, bytes: 200_000_000, maxAgeMs: 600_000 };
const PAD = "x".repeat(200);
/** Bytes that a flush may hold: 64 KiB and the slice that goes over it, with its header. */
const FLUSH_BYTES = 2 * 65_536 + 10;

/** A follower that stops reading, and the server's end of its connection. */
async function stuckPeer(served: Served): Promise<{ peer: Peer; socket: Socket }> {
  const before = new Set(served.sockets);
  const peer = await subscribed(served.port, "room:1");
  peer.socket.pause();
  const socket = [...served.sockets].find((one) => !before.has(one)) as Socket;
  return { peer, socket };
}

/** Publishes so many, 250 a turn, and calls back each turn. */
async function publish(
  { tailwire }: Served,
  count: number,
  data: (index: number) => unknown,
  eachTurn: () => void = () => undefined,
): Promise<void> {
  const channel = tailwire.channel("room:{id}", { id: "1" });
  for (let index = 1; index <= count;) {
    const batch: Promise<unknown>[] = [];
    for (; index <= count && batch.length < 250; index += 1) {
      batch.push(channel.publish("message", data(index)));
    }
    await Promise.all(batch);
    await turn();
    eachTurn();
  }
}

/** Publishes until the stuck socket has bytes waiting that don't move. */
async function publishUntilStuck(served: Served, socket: Socket): Promise<number> {
  const channel = served.tailwire.channel("room:{id}", { id: "1" });
  let count = 0;
  let still = 0;
  while (still < 20 && !socket.destroyed) {
    const { bytesWritten } = socket;
    await channel.publish("message", [(count += 1), "x".repeat(60_000)]);
    await turns(2);
    const moved = socket.bytesWritten !== bytesWritten || socket.writableLength === 0;
    still = moved ? 0 : still + 1;
  }
  return count;
}

test("[FLOW-1] beside 50,000 publications a stuck connection costs one write, and then gets them all", async () => {
  // The tail holds all of them, so that catching up is a matter of writes, not of reads.
  const served = await serve({ retention: LARGE, limits: { tailBytesMax: 100_000_000 } });
  const { peer, socket } = await stuckPeer(served);
  const client = connect(served.url);
  const fast = new Follower(client.channel("room:1").subscribe());
  await fast.subscription.ready;
  let waitingMax = 0;
  await publish(
    served,
    50_000,
    (index) => [index, PAD],
    () => (waitingMax = Math.max(waitingMax, socket.writableLength)),
  );
  await fast.has(50_000);
  expect(fast.holes).toEqual([]);
  expect(fast.gaps).toEqual([]);
  expect(fast.data.map((data) => (data as [number])[0])).toEqual(upTo(50_000));
  expect(waitingMax).toBeGreaterThan(0);
  expect(waitingMax).toBeLessThanOrEqual(FLUSH_BYTES);
  peer.socket.resume();
  await until(() => offsets(peer).length === 50_000, "the stuck connection to catch up");
  expect(offsets(peer)).toEqual(upTo(50_000));
  expect(peer.messages.some(({ type }) => type === "gap")).toBe(false);
});

test("[FLOW-1, DEL-4] a stuck connection that retention passes gets one gap with its count, and then the rest", async () => {
  const served = await serve({ retention: { ...LARGE, count: 30 } });
  const { peer, socket } = await stuckPeer(served);
  const total = await publishUntilStuck(served, socket);
  await publish(served, 50, (index) => [total + index, PAD]);
  peer.socket.resume();
  await until(() => offsets(peer).at(-1) === total + 50, "the stuck connection to catch up");
  const gaps = peer.messages.filter(({ type }) => type === "gap");
  expect(gaps).toHaveLength(1);
  const { reason, from, continuesAfter, lost } = gaps[0] as Message & {
    readonly from: { readonly offset: number };
    readonly continuesAfter: { readonly offset: number };
  };
  expect(reason).toBe("trimmed");
  expect(continuesAfter.offset).toBe(total + 20);
  expect(lost).toBe(total + 20 - from.offset);
  expect(offsets(peer)).toEqual([...upTo(from.offset), ...upTo(30).map((n) => total + 20 + n)]);
});

test("[DEL-4] who reads meets no gap because the server rests, however little is retained", async () => {
  const served = await serve({ retention: { ...LARGE, count: 4 } });
  const client = connect(served.url);
  const fast = new Follower(client.channel("room:1").subscribe());
  await fast.subscription.ready;
  const channel = served.tailwire.channel("room:{id}", { id: "1" });
  for (const index of upTo(200)) {
    await channel.publish("message", index);
    await turns(2);
  }
  await fast.has(200);
  expect(fast.gaps).toEqual([]);
});

test("[FLOW-2] a write that is unfinished after stallMs closes with 4413, which the peer reads in the end", async () => {
  const served = await serve({ retention: LARGE, limits: { stallMs: 20 } });
  const { peer, socket } = await stuckPeer(served);
  await publishUntilStuck(served, socket);
  await until(() => served.log.closes.length > 0, "the server to close it");
  peer.socket.resume();
  expect(await peer.closed()).toEqual({ code: 4413, reason: "slow_consumer" });
  const { length } = offsets(peer);
  expect(length).toBeGreaterThan(0);
  expect(offsets(peer)).toEqual(upTo(length));
});

test("[FLOW-2] a stuck connection that doesn't read its close either is destroyed after closeTimeoutMs", async () => {
  const limits = { stallMs: 20, closeTimeoutMs: 20 };
  const served = await serve({ retention: LARGE, limits });
  const { socket } = await stuckPeer(served);
  await publishUntilStuck(served, socket);
  await until(() => served.sockets.size === 0, "the server to let go");
  expect(served.log.closes).toEqual(["slow_consumer"]);
  expect(served.tailwire.connections).toBe(0);
});

test("[FLOW-2, DEL-3] a client that is closed with 4413 resumes where it stopped", async () => {
  const served = await serve({ retention: LARGE, limits: { stallMs: 200 } });
  const proxy = await Proxy.before(served.port);
  const client = connect(proxy.url);
  const follower = new Follower(client.channel("room:1").subscribe({ start: "earliest" }));
  await follower.subscription.ready;
  const [socket] = served.sockets;
  const reasons: (string | null)[] = [];
  client.onStatus(({ reason }) => reasons.push(reason));
  const stalled = proxy.links[0]?.server;
  stalled?.pause();
  const total = await publishUntilStuck(served, socket as Socket);
  await until(() => served.log.closes.length > 0, "the server to close it");
  await publish(served, 10, (index) => [total + index, PAD]);
  stalled?.resume();
  await follower.has(total + 10);
  expect(follower.holes).toEqual([]);
  expect(follower.gaps).toEqual([]);
  expect(follower.data.map((data) => (data as [number])[0])).toEqual(upTo(total + 10));
  expect(proxy.links.length).toBeGreaterThan(1);
  expect(reasons).toContain("slow_consumer");
});

/** Sends pings and reads no answer, until the server doesn't read any more. The most it held. */
async function pingUntilUnread(peer: Peer, socket: Socket): Promise<number> {
  const pings = Array.from({ length: 1_000 }, () => '{"type":"ping","id":"p","timestamp":1}\n');
  const batch = frame(pings.join(""));
  let waitingMax = 0;
  for (let still = 0, rounds = 0; still < 50; rounds += 1) {
    if (rounds > 50_000) throw new Error("it is read all the time");
    const { bytesRead } = socket;
    if (peer.socket.writableLength === 0) peer.socket.write(batch);
    await turn();
    waitingMax = Math.max(waitingMax, socket.writableLength);
    still = socket.bytesRead === bytesRead && peer.socket.writableLength > 0 ? still + 1 : 0;
  }
  return waitingMax;
}

/** Nothing but back-pressure holds a flood up. */
const PATIENT = {
  pingIntervalMs: 45_000,
  stallMs: 60_000,
  closeTimeoutMs: 60_000,
  messagesPerSecond: 1e9,
  bytesPerSecond: 1e12,
};

test("[FLOW-3] a connection that sends requests and never reads answers is not read any more", async () => {
  const served = await serve({ limits: PATIENT });
  const witness = await subscribed(served.port, "room:1");
  const { peer, socket } = await stuckPeer(served);
  // Waiting are the control queue's limit, and the answers to what had been read already.
  expect(await pingUntilUnread(peer, socket)).toBeLessThanOrEqual(4 * 65_536);
  await publish(served, 100, (index) => index);
  await until(() => offsets(witness).length === 100, "another connection's publications");
  peer.socket.resume();
  expect(await peer.lives()).toBe(true);
});

test("[FLOW-3, CLOSE-5] a connection that isn't read is read again for the answer to its close", async () => {
  const served = await serve({ limits: PATIENT });
  const { peer, socket } = await stuckPeer(served);
  await pingUntilUnread(peer, socket);
  const closed = served.tailwire.close();
  peer.socket.resume();
  await closed;
  expect((await peer.closed())?.code).toBe(1012);
});
