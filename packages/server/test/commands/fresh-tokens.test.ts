// Fresh tokens that come faster than they can be judged: only the newest counts, all are answered, and
// what isn't allowed any more ends promptly all the same.
import { describe, expect, test } from "vitest";
import type { Authenticated } from "@tailwire/server/core";
import { TestNode, type Peer, type Said, subscribe } from "../harness.ts";
import { upTo } from "../drivers/support.ts";

const fresh = (token: string): Said => ({ type: "authenticate", token });

/** A testNode whose tokens are judged when the test says so, in order. */
function judgedBench(authorize: (token: string) => boolean = () => true) {
  const judged: string[] = [];
  const asked: { readonly channel: string; readonly turn: number }[] = [];
  const waiting: ((authenticated: Authenticated | null | Error) => void)[] = [];
  let last = "";
  const testNode: TestNode = new TestNode({
    application: {
      authenticate: (token) => {
        judged.push(token);
        return new Promise((resolve, reject) => {
          waiting.push((outcome) => {
            last = token;
            if (outcome instanceof Error) reject(outcome);
            else resolve(outcome);
          });
        });
      },
      authorize: ({ channel }) => {
        asked.push({ channel, turn: testNode.clock.fired });
        return authorize(last);
      },
    },
  });
  const judge = async (outcome: Authenticated | null | Error): Promise<void> => {
    waiting.shift()?.(outcome);
    await testNode.clock.settle();
  };
  return { testNode, judged, asked, judge };
}

const ADA: Authenticated = { user: { id: "ada" }, expiresAt: 1_800_000_000_000 };

/** A peer that follows so many channels, with nothing noted yet. */
async function following(testNode: TestNode, count: number): Promise<Peer> {
  const peer = await testNode.openPeer();
  await peer.say(...upTo(count).map((n) => subscribe(`room:${n}`)));
  await testNode.clock.settle();
  peer.forget();
  return peer;
}

describe("[AUTH-8] of fresh tokens that wait only the newest is judged, and the others are answered", () => {
  const burst = upTo(900).map((n) => fresh(`t${n}`));

  test.each<[string, Authenticated | null | Error, string]>([
    ["when it is accepted", ADA, "ack"],
    ["when it is refused", null, "error unauthenticated"],
    ["when nobody can judge it", new Error("a bug"), "error internal"],
    ["when it is another user's", { user: { id: "bob" } }, "error identity_changed"],
  ])("%s", async (_when, outcome, answer) => {
    const { testNode, judged, judge } = judgedBench();
    const peer = await following(testNode, 1);
    await peer.say(...burst);
    expect(judged).toEqual(["t1"]);
    await judge(ADA);
    expect(judged).toEqual(["t1", "t900"]);
    expect(peer.heardInShort).toEqual(["ack r1"]);
    await judge(outcome);
    const others = peer.heardInShort.slice(1);
    expect(others).toEqual(
      upTo(900)
        .slice(1)
        .map((n) => answer.replace(/^(\w+)/, `$1 r${n}`)),
    );
    expect(judged).toHaveLength(2);
  });

  test("with its own expiry", async () => {
    const { testNode, judge } = judgedBench();
    const peer = await following(testNode, 1);
    await peer.say(fresh("old"), fresh("older"), fresh("new"));
    await judge({ ...ADA, expiresAt: 1_900_000_000_000 });
    await judge(ADA);
    expect(peer.heard.map((ack) => ("expiresAt" in ack ? ack.expiresAt : null))).toEqual([
      1_900_000_000_000, 1_800_000_000_000, 1_800_000_000_000,
    ]);
  });

  test("and what they hold is let go of", async () => {
    const { testNode, judge } = judgedBench();
    const peer = await following(testNode, 1);
    await peer.say(...burst);
    expect(peer.connection.heldBytes).toBeGreaterThan(900 * 512);
    expect(peer.socket.calls).toContain("pause");
    await judge(ADA);
    await judge(null);
    expect(peer.connection.heldBytes).toBe(0);
    expect(peer.socket.calls.at(-1)).toBe("resume");
  });

  test("and one that comes while the newest is judged is judged after it", async () => {
    const { testNode, judged, judge } = judgedBench();
    const peer = await following(testNode, 1);
    await peer.say(fresh("a"), fresh("b"));
    await judge(ADA);
    await peer.say(fresh("c"));
    await judge(null);
    await judge(ADA);
    expect(judged).toEqual(["a", "b", "c"]);
    expect(peer.heardInShort).toEqual(["ack r1", "error r2 unauthenticated", "ack r3"]);
  });

  test("and none once the connection is closed", async () => {
    const { testNode, judged, judge } = judgedBench();
    const peer = await following(testNode, 1);
    await peer.say(fresh("a"), fresh("b"));
    peer.connection.close("restarting");
    await judge(ADA);
    expect(judged).toEqual(["a"]);
  });
});

describe("[AUTH-12] with 256 subscriptions", () => {
  test("they are decided anew in portions, one decision each", async () => {
    const { testNode, asked, judge } = judgedBench();
    const peer = await following(testNode, 256);
    asked.length = 0;
    await peer.say(fresh("a"));
    await judge(ADA);
    expect(new Set(asked.map(({ channel }) => channel)).size).toBe(256);
    expect(asked).toHaveLength(256);
    for (const { turn } of asked) {
      expect(asked.filter((other) => other.turn === turn).length).toBeLessThan(100);
    }
  });

  test("all that isn't allowed any more ends at once, and nothing follows", async () => {
    const { testNode, judge } = judgedBench((token) => token !== "worse");
    const peer = await following(testNode, 256);
    await peer.say(fresh("worse"));
    await judge(ADA);
    const ended = peer.heard.flatMap((one) => (one.type === "unsubscribed" ? one.channel : []));
    expect(ended.toSorted()).toEqual(
      upTo(256)
        .map((n) => `room:${n}`)
        .toSorted(),
    );
    await testNode.node.publish("room:7", "said", "secret");
    await testNode.clock.advance(1_000);
    expect(peer.heard.some(({ type }) => type === "publication")).toBe(false);
  });

  test("one slow decision doesn't hold up the others", async () => {
    let ask = false;
    const testNode: TestNode = new TestNode({
      application: {
        authenticate: () => Promise.resolve({ user: { id: "ada" } }),
        authorize: ({ channel }) =>
          ask ? (channel === "room:1" ? new Promise<boolean>(() => undefined) : false) : true,
      },
    });
    const peer = await following(testNode, 100);
    ask = true;
    await peer.say(fresh("a"));
    await testNode.clock.settle();
    expect(peer.heard.filter(({ type }) => type === "unsubscribed")).toHaveLength(99);
  });
});
