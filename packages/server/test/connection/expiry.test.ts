// Tokens that end, and fresh ones on a live connection.
import { describe, expect, test } from "vitest";
import { tailwireError } from "@tailwire/protocol";
import type { Authenticated } from "@tailwire/server/core";
import { TestNode, hello, type Peer, publish, type Said, subscribe } from "../harness.ts";

/** Deadlines are met a quarter of a second late at most. */
const TICK_MS = 250;

const authenticate = (token: string): Said => ({ type: "authenticate", token });
const closes = ({ socket }: Peer): readonly string[] =>
  socket.calls.filter((call) => call.startsWith("close"));

/** A testNode where the token `ada 5000` is Ada's for 5 s, `ada` Ada's for ever, and `bad` nobody's. */
function tokenBench(judge?: (token: string) => Promise<Authenticated | null>): TestNode {
  const testNode: TestNode = new TestNode({
    application: { authenticate: judge ?? (async (token) => authenticated(testNode, token)) },
  });
  return testNode;
}

function authenticated(testNode: TestNode, token: string): Authenticated | null {
  if (token === "bad") return null;
  const [id = "", ms] = token.split(" ");
  return ms === undefined
    ? { user: { id } }
    : { user: { id }, expiresAt: testNode.clock.now() + Number(ms) };
}

/** A peer that was let in with a token, and follows room:1. */
async function peerWith(testNode: TestNode, token: string): Promise<Peer> {
  const peer = await testNode.openPeer(authenticated(testNode, token) ?? undefined);
  await peer.say(subscribe());
  peer.forget();
  return peer;
}

describe("[AUTH-9] a token that ends", () => {
  test("is said in welcome, and one that doesn't isn't", async () => {
    const testNode = tokenBench();
    const expiresAt = testNode.clock.now() + 5_000;
    const peer = testNode.peer({ user: { id: "ada" }, expiresAt });
    await peer.say(hello());
    expect(peer.heard).toMatchObject([{ type: "welcome", expiresAt }]);
    const other = testNode.peer("bob");
    await other.say(hello());
    expect(other.heard[0]).not.toHaveProperty("expiresAt");
    await testNode.clock.advance(1_000_000);
    expect(closes(other)).not.toContain("close 4410 token_expired");
  });

  const asked: readonly Said[] = [
    publish("late"),
    subscribe("room:2"),
    { type: "read", channel: "room:1", count: 1 },
    { type: "request", name: "any", data: null },
  ];
  for (const message of asked) {
    test(`allows no ${message.type} on a node whose clock has gone ahead`, async () => {
      const testNode = tokenBench();
      const peer = await peerWith(testNode, "ada 5000");
      testNode.clock.jump(5_000 + testNode.limits.expiryGraceMs);
      await peer.say(message);
      expect(closes(peer)).toEqual(["close 4410 token_expired"]);
      expect(peer.heardInShort).toEqual([]);
      expect(testNode.node.counters.published).toBe(0);
    });
  }

  test("may still be renewed on a node whose clock has gone ahead", async () => {
    const testNode = tokenBench();
    const peer = await peerWith(testNode, "ada 5000");
    testNode.clock.jump(5_000 + testNode.limits.expiryGraceMs);
    await peer.say(authenticate("ada"));
    await peer.say(publish("in time"));
    expect(peer.heardInShort).toEqual(["ack r1", "ack r2", "publication 1"]);
  });

  test("closes with 4410 after its grace, and not before", async () => {
    const testNode = tokenBench();
    const peer = await peerWith(testNode, "ada 5000");
    await testNode.clock.advance(5_000 + testNode.limits.expiryGraceMs - 1);
    await testNode.node.publish("room:1", "said", "in its grace");
    await testNode.clock.settle();
    expect(peer.heardInShort).toEqual(["publication 1"]);
    expect(closes(peer)).toEqual([]);
    await testNode.clock.advance(1 + TICK_MS);
    expect(closes(peer)).toEqual(["close 4410 token_expired"]);
    await testNode.node.publish("room:1", "said", "after its end");
    await peer.say(publish("after its end"));
    await testNode.clock.advance(1_000);
    expect(peer.heardInShort).toEqual(["publication 1"]);
    expect(peer.socket.violations).toEqual([]);
  });

  test("that was over before hello closes too", async () => {
    const testNode = tokenBench();
    const peer = testNode.peer({
      user: { id: "ada" },
      expiresAt: testNode.clock.now() - 3_600_000,
    });
    await peer.say(hello());
    await testNode.clock.advance(TICK_MS);
    expect(closes(peer)).toEqual(["close 4410 token_expired"]);
  });

  test("closes a connection whose socket is blocked, and writes nothing to it", async () => {
    const testNode = tokenBench();
    const peer = await peerWith(testNode, "ada 5000");
    peer.socket.completes = false;
    await testNode.node.publish("room:1", "said", 1);
    await testNode.clock.advance(10_000 + TICK_MS);
    await testNode.node.publish("room:1", "said", 2);
    await peer.drain();
    expect(closes(peer)).toEqual(["close 4410 token_expired"]);
    expect(peer.heardInShort).toEqual(["publication 1"]);
    expect(peer.socket.violations).toEqual([]);
  });

  test("ends by the wall clock: where that goes back it ends later", async () => {
    const testNode = tokenBench();
    const peer = await peerWith(testNode, "ada 5000");
    testNode.clock.jump(-60_000);
    await testNode.clock.advance(10_000 + TICK_MS);
    expect(closes(peer)).toEqual([]);
    const alive = { type: "pong", re: "s1" } as const;
    for (let second = 0; second < 60; second += 1) {
      await testNode.clock.advance(1_000);
      await peer.say(alive);
    }
    expect(closes(peer)).toEqual(["close 4410 token_expired"]);
  });

  test("ends by the wall clock: where that goes forward it ends within a ping's interval", async () => {
    const testNode = tokenBench();
    const peer = await peerWith(testNode, "ada 3600000");
    testNode.clock.jump(7_200_000);
    await testNode.clock.advance(testNode.limits.pingIntervalMs + TICK_MS);
    expect(closes(peer)).toEqual(["close 4410 token_expired"]);
  });

  test("stops what is under way to its connection: in its grace the replay goes on, then no more", async () => {
    const testNode = tokenBench();
    for (let n = 1; n <= 300; n += 1)
      void testNode.node.publish("room:1", "said", "x".repeat(1_000));
    await testNode.clock.settle();
    const peer = await testNode.openPeer(authenticated(testNode, "ada 1000") ?? undefined);
    peer.socket.completes = false;
    await peer.say(subscribe());
    await testNode.clock.advance(2_000);
    const before = peer.heard.length;
    await peer.drain();
    expect(peer.heard.length).toBeGreaterThan(before);
    await testNode.clock.advance(testNode.limits.expiryGraceMs);
    const { length } = peer.heard;
    expect(length).toBeLessThan(300);
    expect(closes(peer)).toEqual(["close 4410 token_expired"]);
    await peer.drain();
    await peer.drain();
    expect(peer.heard).toHaveLength(length);
    expect(peer.socket.violations).toEqual([]);
  });
});

describe("[AUTH-8] a fresh token", () => {
  test("of the same user goes on in its place, and says when it ends", async () => {
    const testNode = tokenBench();
    const peer = await peerWith(testNode, "ada 5000");
    await testNode.clock.advance(4_000);
    await peer.say(authenticate("ada 8000"));
    expect(peer.heard).toMatchObject([
      { type: "ack", re: "r1", expiresAt: testNode.clock.now() + 8_000 },
    ]);
    await testNode.clock.advance(8_000 + testNode.limits.expiryGraceMs - 1);
    await testNode.node.publish("room:1", "said", 1);
    await testNode.clock.settle();
    expect(peer.heardInShort.at(-1)).toBe("publication 1");
    await testNode.clock.advance(1 + TICK_MS);
    expect(closes(peer)).toEqual(["close 4410 token_expired"]);
  });

  test("in the grace of the one before is in time", async () => {
    const testNode = tokenBench();
    const peer = await peerWith(testNode, "ada 5000");
    await testNode.clock.advance(5_000 + testNode.limits.expiryGraceMs - 1);
    await peer.say(authenticate("ada"));
    expect(peer.heard).toMatchObject([{ type: "ack", re: "r1" }]);
    expect(peer.heard[0]).not.toHaveProperty("expiresAt");
    await testNode.clock.advance(20_000);
    expect(closes(peer)).toEqual([]);
  });

  test("may end earlier than the one before", async () => {
    const testNode = tokenBench();
    const peer = await peerWith(testNode, "ada");
    await peer.say(authenticate("ada 1000"));
    await testNode.clock.advance(1_000 + testNode.limits.expiryGraceMs + TICK_MS);
    expect(closes(peer)).toEqual(["close 4410 token_expired"]);
  });

  test("of another user is identity_changed, and closes with 4503", async () => {
    const testNode = tokenBench();
    const peer = await peerWith(testNode, "ada 5000");
    await peer.say(authenticate("bob"));
    expect(peer.heardInShort).toEqual(["error r1 identity_changed"]);
    expect(closes(peer)).toEqual(["close 4503 identity_changed"]);
    await testNode.node.publish("room:1", "said", 1);
    await testNode.clock.settle();
    expect(peer.heardInShort).toHaveLength(1);
  });

  test("that is refused is unauthenticated, and the one before stands until its end", async () => {
    const testNode = tokenBench();
    const peer = await peerWith(testNode, "ada 5000");
    await peer.say(authenticate("bad"));
    expect(peer.heardInShort).toEqual(["error r1 unauthenticated"]);
    await testNode.node.publish("room:1", "said", 1);
    await testNode.clock.settle();
    expect(peer.heardInShort.at(-1)).toBe("publication 1");
    await testNode.clock.advance(10_000 - 1);
    expect(closes(peer)).toEqual([]);
    await testNode.clock.advance(1 + TICK_MS);
    expect(closes(peer)).toEqual(["close 4410 token_expired"]);
  });

  test("that can't be judged is unavailable or internal, and changes nothing", async () => {
    const judges = [
      [() => Promise.reject(tailwireError("unavailable")), "unavailable"],
      [() => Promise.reject(new Error("a bug")), "internal"],
      [() => new Promise<null>(() => undefined), "unavailable"],
    ] as const;
    for (const [judge, code] of judges) {
      const testNode = tokenBench(judge);
      const peer = await peerWith(testNode, "ada");
      await peer.say(authenticate("ada"), { type: "ping" });
      await testNode.clock.advance(testNode.limits.hookMs);
      expect(peer.heardInShort.toSorted()).toEqual([`error r1 ${code}`, "pong r2"]);
      expect(closes(peer)).toEqual([]);
    }
  });

  test("that is judged after the connection has gone changes nothing", async () => {
    let judged: (who: Authenticated) => void = () => undefined;
    const testNode = tokenBench(
      () =>
        new Promise((resolve) => {
          judged = resolve;
        }),
    );
    const peer = await peerWith(testNode, "ada");
    await peer.say(authenticate("ada"));
    peer.connection.gone();
    judged({ user: { id: "ada" }, expiresAt: testNode.clock.now() });
    await testNode.clock.advance(60_000);
    expect([peer.heard, peer.socket.calls]).toEqual([[], []]);
  });

  test("doesn't put off what was decided about the one before", async () => {
    let isAllowed = true;
    const testNode: TestNode = new TestNode({
      application: {
        authenticate: async (token) => authenticated(testNode, token),
        authorize: async () => {
          const decision = isAllowed;
          await new Promise<void>((resolve) => {
            testNode.clock.after(1_000, resolve);
          });
          return decision;
        },
      },
    });
    const peer = await testNode.openPeer("ada");
    await peer.say(subscribe());
    await testNode.clock.advance(1_000);
    peer.forget();
    isAllowed = false;
    for (let tries = 0; tries < 4; tries += 1) {
      await peer.say(authenticate("ada"));
      await testNode.clock.advance(400);
    }
    expect(peer.heardInShort).toContain("unsubscribed");
  });

  test("is never written back, nor logged", async () => {
    const known = new Map([
      ["s3cret-ada", "ada"],
      ["s3cret-bob", "bob"],
    ]);
    const testNode = tokenBench((token) => {
      const id = known.get(token);
      return Promise.resolve(id === undefined ? null : { user: { id } });
    });
    const peer = await peerWith(testNode, "ada");
    await peer.say(...["s3cret", "s3cret-ada", "s3cret-bob"].map(authenticate));
    expect(peer.heardInShort).toEqual([
      "error r1 unauthenticated",
      "error r2 identity_changed",
      "error r3 identity_changed",
    ]);
    expect(JSON.stringify([peer.socket.written, peer.socket.calls])).not.toContain("s3cret");
    expect(testNode.errors).toEqual([]);
  });
});
