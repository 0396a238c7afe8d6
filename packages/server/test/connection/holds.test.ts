// After a refusal that may pass, nothing of the connection's channel overtakes what was refused.
import { describe, expect, test } from "vitest";
import { tailwireError } from "@tailwire/protocol";
import type { Append, AppendResult, Broker } from "@tailwire/server/broker-contract";
import { changed, SimulatedClock } from "@tailwire/simulation";
import { Holds } from "../../src/connection/holds.ts";
import { TestNode, hello, type Peer, publish, type Said, subscribe } from "../harness.ts";

type Refusals = Map<string, "unavailable" | Extract<AppendResult, { kind: "refused" }>["code"]>;

/**
 * A broker that refuses the next append of some requests, each once: thrown, or as a result.
 * `answer` is awaited before each of its answers.
 */
function refusing(refusals: Refusals, answer: () => Promise<void>): (broker: Broker) => Broker {
  const why = ({ id }: Append): string => id.slice(id.lastIndexOf("/") + 1);
  return (broker) =>
    changed(broker, (log) => ({
      append: async (batch) => {
        await answer();
        const results: AppendResult[] = [];
        for (const [index, one] of batch.entries()) {
          const code = refusals.get(why(one));
          refusals.delete(why(one));
          if (code === "unavailable") throw tailwireError("unavailable");
          if (code === undefined) {
            results.push(...(await log.append([one])));
            continue;
          }
          results.push({ kind: "refused", code });
          // The rest of the batch is the contract suite's affair.
          const held = { kind: "refused", code: "held" } as const;
          return [...results, ...batch.slice(index + 1).map(() => held)];
        }
        return results;
      },
    }));
}

const named = (id: string, channel?: string): Said => ({ ...publish(id, channel), id });

/** The channel's log, in order: the data of its publications, each a request's id. */
async function logOf(testNode: TestNode, channel = "room:1"): Promise<readonly unknown[]> {
  const reader = await testNode.openPeer("reader");
  await reader.say(subscribe(channel));
  reader.connection.gone();
  return reader.heard.flatMap((message) => (message.type === "publication" ? message.data : []));
}

/** A peer on a node whose broker takes so long to answer. */
async function peerWith(refusals: Refusals, answerMs = 0): Promise<readonly [TestNode, Peer]> {
  const answer = (): Promise<void> =>
    answerMs === 0
      ? Promise.resolve()
      : new Promise((resolve) => testNode.clock.after(answerMs, resolve));
  const testNode: TestNode = new TestNode({ wrapBroker: refusing(refusals, answer) });
  return [testNode, await testNode.openPeer()];
}

describe("[PUB-12] after a refusal that may pass", () => {
  const forNow = ["unavailable", "expired", "rate_limited"] as const;

  test.each(forNow)("%s, what follows is held until it comes again", async (code) => {
    const [testNode, peer] = await peerWith(new Map([["x", code]]));
    await peer.say(named("x"));
    await peer.say(named("y"));
    await peer.say(named("z"), named("w"));
    const held = ["error y held", "error z held", "error w held"];
    expect(peer.heardInShort).toEqual([`error x ${code}`, ...held]);
    expect(await logOf(testNode)).toEqual([]);
    peer.forget();
    await peer.say(named("x"));
    await peer.say(named("y"), named("z"));
    expect(peer.heardInShort).toEqual(["ack x", "ack y", "ack z"]);
    expect(await logOf(testNode)).toEqual(["x", "y", "z"]);
  });

  test.each(forNow)("%s, nothing that came with it is appended", async (code) => {
    const [testNode, peer] = await peerWith(new Map([["x", code]]));
    await peer.say(named("x"), named("y"), named("z"));
    expect(peer.heardInShort.map((line) => line.split(" ", 2).join(" ")).toSorted()).toEqual([
      "error x",
      "error y",
      "error z",
    ]);
    for (const message of peer.heard) expect(message).toMatchObject({ retry: true });
    expect(await logOf(testNode)).toEqual([]);
    peer.forget();
    await peer.say(named("x"), named("y"), named("z"));
    expect(peer.heardInShort).toEqual(["ack x", "ack y", "ack z"]);
    expect(await logOf(testNode)).toEqual(["x", "y", "z"]);
  });

  test.each(forNow)("%s twice, what came with it both times is held both times", async (code) => {
    const refusals: Refusals = new Map([["x", code]]);
    const [testNode, peer] = await peerWith(refusals);
    await peer.say(named("x"), named("y"));
    refusals.set("x", code);
    await peer.say(named("x"), named("y"));
    await peer.say(named("y"));
    expect(await logOf(testNode)).toEqual([]);
    await peer.say(named("x"), named("y"));
    expect(await logOf(testNode)).toEqual(["x", "y"]);
  });

  // Each distance in time between a refusal and the next publication, in rounds of microtasks.
  const distances = Array.from({ length: 40 }, (_, rounds) => rounds);
  test.each(distances)("nothing that comes %i microtasks later overtakes it", async (rounds) => {
    for (const code of forNow) {
      const [testNode, peer] = await peerWith(new Map([["x", code]]));
      peer.connection.input.receive(peer.text(named("x")));
      for (let round = 0; round < rounds; round += 1) await Promise.resolve();
      await peer.say(named("y"));
      await peer.say(named("x"), named("y"));
      expect([code, await logOf(testNode)]).toEqual([code, ["x", "y"]]);
    }
  });

  test.each(distances)(
    "nothing that comes %i microtasks after a slow answer does",
    async (rounds) => {
      for (const code of forNow) {
        const [testNode, peer] = await peerWith(new Map([["x", code]]), 50);
        await peer.say(named("x"));
        const late = testNode.clock.advance(50);
        for (let round = 0; round < rounds; round += 1) await Promise.resolve();
        peer.connection.input.receive(peer.text(named("y")));
        await late;
        await testNode.clock.advance(100);
        await peer.say(named("x"), named("y"));
        await testNode.clock.advance(200);
        expect([code, await logOf(testNode)]).toEqual([code, ["x", "y"]]);
      }
    },
  );

  test.each(forNow)("%s, what waited behind it for the broker is refused with it", async (code) => {
    const [testNode, peer] = await peerWith(new Map([["x", code]]), 50);
    const bob = await testNode.openPeer("bob");
    await peer.say(named("x"));
    await peer.say(named("y"), named("z"));
    await testNode.clock.advance(200);
    expect(peer.heardInShort).toHaveLength(3);
    for (const message of peer.heard) expect(message).toMatchObject({ type: "error", retry: true });
    expect(await logOf(testNode)).toEqual([]);
    await peer.say(named("x"), named("y"), named("z"));
    await bob.say(named("bob's"));
    await testNode.clock.advance(200);
    expect(await logOf(testNode)).toEqual(["x", "y", "z", "bob's"]);
  });

  test("other channels, and other connections, aren't held", async () => {
    const [testNode, peer] = await peerWith(new Map([["x", "unavailable"]]));
    const other = await testNode.openPeer("bob");
    await peer.say(named("x"));
    await peer.say(named("elsewhere", "room:2"));
    await other.say(named("y"));
    expect(peer.heardInShort).toEqual(["error x unavailable", "ack elsewhere"]);
    expect(other.heardInShort).toEqual(["ack y"]);
  });

  test("the session's next connection isn't held: it begins with what was refused", async () => {
    const [testNode, peer] = await peerWith(new Map([["x", "unavailable"]]));
    await peer.say(named("x"), named("y"));
    const next = testNode.peer();
    await next.say(hello({ generation: 2 }), named("x"), named("y"));
    expect(next.heardInShort).toEqual(["welcome r1", "ack x", "ack y"]);
    expect(await logOf(testNode)).toEqual(["x", "y"]);
  });

  test("a malformed publication, and one to where nobody may, don't end it", async () => {
    const [testNode, peer] = await peerWith(new Map([["x", "unavailable"]]));
    await peer.say(named("x"));
    const deep = Array.from({ length: 70 }).reduce<unknown>((inner) => [inner], 1);
    await peer.say({ ...publish(deep), id: "deep" });
    await peer.say(named("nowhere", "nowhere"));
    await peer.say(named("y"));
    expect(peer.heardInShort.at(-1)).toBe("error y held");
    expect(await logOf(testNode)).toEqual([]);
  });

  test("its own refusal for good ends it", async () => {
    const refusals: Refusals = new Map([["x", "unavailable"]]);
    const [testNode, peer] = await peerWith(refusals);
    await peer.say(named("x"));
    refusals.set("x", "id_conflict");
    await peer.say(named("x"));
    await peer.say(named("y"));
    expect(peer.heardInShort).toEqual(["error x unavailable", "error x id_conflict", "ack y"]);
    expect(await logOf(testNode)).toEqual(["y"]);
  });
});

test("[PUB-8] a refusal for good holds nothing", async () => {
  for (const code of ["id_conflict", "fenced", "indeterminate"] as const) {
    const [testNode, peer] = await peerWith(new Map([["x", code]]));
    await peer.say(named("x"));
    await peer.say(named("y"), named("z"));
    expect(peer.heardInShort).toEqual([`error x ${code}`, "ack y", "ack z"]);
    expect(await logOf(testNode)).toEqual(["y", "z"]);
  }
});

describe("a connection's holds", () => {
  test("are over when they have lasted for too long, and hold until then", async () => {
    const clock = new SimulatedClock();
    const holds = new Holds(clock, 1_000);
    expect(holds.begin("room:1", "x", 1)).toBe(true);
    expect(holds.begin("room:1", "y", 2)).toBe(true);
    expect([holds.mustWait("room:1", "x"), holds.mustWait("room:1", "y")]).toEqual([false, true]);
    expect(holds.mustWait("room:2", "y")).toBe(false);
    expect(holds.isOver("room:1")).toBe(false);
    await clock.advance(1_000);
    expect([holds.isOver("room:1"), holds.isOver("room:2")]).toEqual([true, false]);
    expect(holds.mustWait("room:1", "y")).toBe(true);
  });

  test("[PUB-12] are for what was sent first, though it is refused last", () => {
    const holds = new Holds(new SimulatedClock(), 1_000);
    holds.begin("room:1", "y", 2);
    holds.begin("room:1", "x", 1);
    expect([holds.mustWait("room:1", "x"), holds.mustWait("room:1", "y")]).toEqual([false, true]);
  });

  test("are bounded: a channel too many is told", () => {
    const holds = new Holds(new SimulatedClock(), 1_000);
    const begun = Array.from({ length: 1_025 }, (_, index) => holds.begin(`room:${index}`, "x", 1));
    expect(begun.filter(Boolean)).toHaveLength(1_024);
    holds.end("room:0", "x");
    expect(holds.begin("room:9999", "x", 1)).toBe(true);
  });
});
