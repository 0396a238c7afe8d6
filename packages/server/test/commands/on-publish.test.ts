// onPublish: what the application makes of a publication before it is logged.
import { describe, expect, test } from "vitest";
import { JsonText, TailwireError, tailwireError } from "@tailwire/protocol";
import type { ChannelOptions } from "@tailwire/server/core";
import { changed } from "@tailwire/simulation";
import { TestNode, type Peer, publish, type Said, subscribe } from "../harness.ts";

type OnPublish = NonNullable<ChannelOptions["onPublish"]>;

function nodeWith(onPublish: OnPublish): TestNode {
  return new TestNode({ channels: { "room:{id}": { onPublish }, "raw:{id}": {} } });
}

const named = (id: string, data: unknown = id): Said => ({ ...publish(data), id });

/** The same with its numbers, and perhaps as a repeat. */
const numbered = (id: string, sequence: number, settled: number, data: unknown = id): Said =>
  ({ ...named(id, data), sequence, settled }) as Said;
const repeated = (id: string, sequence: number, data?: unknown, channel = "room:1"): Said =>
  ({ ...numbered(id, sequence, 0, data), channel, repeat: { ageMs: 1 } }) as Said;

function rude(): TailwireError {
  return new TailwireError({ code: "rude", description: "", fault: "client", retry: false });
}

/** A node, some time after its start, whose application refuses everything while it is strict. */
async function changingNode(mind: { readonly isStrict: boolean }): Promise<TestNode> {
  const testNode = nodeWith(({ data }) => {
    if (mind.isStrict) throw rude();
    return data;
  });
  await testNode.clock.advance(10);
  return testNode;
}

/** The data of the channel's log, in order. */
async function logOf(testNode: TestNode): Promise<readonly unknown[]> {
  const reader: Peer = await testNode.openPeer("reader");
  await reader.say(subscribe());
  reader.connection.gone();
  return reader.heard.flatMap((message) => (message.type === "publication" ? [message.data] : []));
}

describe("where nobody has to be waited for", () => {
  test("a publication is in the log when its message has been taken, and its ack goes with what follows", async () => {
    const testNode = nodeWith(({ data }) => data);
    const peer = await testNode.openPeer();
    await peer.say(subscribe("raw:1"));
    await testNode.clock.advance(1_000);
    peer.forget();
    const before = testNode.clock.pending;
    peer.connection.input.receive(peer.text(publish(1, "raw:1"), publish(2, "raw:1")));
    expect(testNode.node.counters.totals.published).toBe(2);
    // There is no deadline: the sweep is due, and the end of this turn.
    expect(testNode.clock.pending).toBeLessThanOrEqual(before + 2);
    expect(peer.connection.heldBytes).toBeLessThan(512);
    await testNode.clock.settle();
    expect(peer.heardInShort).toEqual(["ack r1", "ack r2", "publication 1", "publication 2"]);
    expect(peer.socket.writes).toHaveLength(1);
  });

  test("[AUTH-11] access is asked for once for each channel, and anew after a fresh token", async () => {
    const asked: string[] = [];
    const testNode = new TestNode({
      application: {
        authorize: ({ channel, action }) => {
          asked.push(`${action} ${channel}`);
          return true;
        },
      },
    });
    const peer = await testNode.openPeer();
    await peer.say(publish(1), publish(2), publish(3, "room:2"), publish(4));
    expect(asked).toEqual(["publish room:1", "publish room:2"]);
    await peer.say({ type: "authenticate", token: "ada" });
    await peer.say(publish(5));
    expect(asked).toEqual(["publish room:1", "publish room:2", "publish room:1"]);
  });

  test("what the broker throws at once is answered as what it rejects with", async () => {
    const thrown: Error[] = [tailwireError("unavailable"), new Error("broken")];
    const testNode = new TestNode({
      wrapBroker: (broker) =>
        changed(broker, (log) => ({
          append: (batch) => {
            const error = thrown.shift();
            if (error === undefined) return log.append(batch);
            throw error;
          },
        })),
    });
    const peer = await testNode.openPeer();
    await peer.say(named("x"), named("y"));
    expect(peer.heardInShort).toEqual(["error x unavailable", "error y unavailable"]);
    await peer.say(named("x"));
    await peer.say(named("y"));
    expect(peer.heardInShort.slice(2)).toEqual(["error x indeterminate", "ack y"]);
    expect(testNode.errors).toHaveLength(1);
  });

  test("[PUB-12] a broker that gives no result at once is a broken one", async () => {
    const testNode = new TestNode({
      wrapBroker: (broker) => changed(broker, () => ({ append: () => [] })),
    });
    const peer = await testNode.openPeer();
    await peer.say(named("x"));
    expect(peer.heardInShort).toEqual(["error x indeterminate"]);
    expect(testNode.errors).toMatchObject([{ hook: "broker.append" }]);
  });
});

describe("[PUB-13] onPublish", () => {
  test("is told who publishes what where, and what it returns is logged", async () => {
    const seen: unknown[] = [];
    const testNode = nodeWith((publication) => {
      seen.push(publication);
      return { text: String(publication.data).toUpperCase(), by: publication.user.id };
    });
    const peer = await testNode.openPeer();
    await peer.say(publish("hello", "room:7"), publish("hello", "raw:7"), publish("hi"));
    const user = { id: "ada" };
    const { context } = peer.connection;
    expect(seen[0]).toEqual({
      user,
      context,
      channel: "room:7",
      params: { id: "7" },
      event: "said",
      data: "hello",
    });
    // The other channel has none.
    expect(seen).toHaveLength(2);
    expect(await logOf(testNode)).toEqual([{ text: "HI", by: "ada" }]);
  });

  test("may be asynchronous, and the order stays while it is slow", async () => {
    const testNode: TestNode = nodeWith(
      ({ data }) =>
        new Promise((resolve) => testNode.clock.after(data as number, () => resolve(data))),
    );
    const peer = await testNode.openPeer();
    const delays = [300, 10, 200, 0, 50];
    await peer.say(...delays.map((ms) => publish(ms)));
    await testNode.clock.advance(1_000);
    expect(peer.heardInShort).toEqual(["ack r1", "ack r2", "ack r3", "ack r4", "ack r5"]);
    expect(await logOf(testNode)).toEqual(delays);
  });

  test("that is slow on one channel doesn't hold up another", async () => {
    const testNode = nodeWith(() => new Promise(() => undefined));
    const peer = await testNode.openPeer();
    await peer.say(publish(1), publish(2, "raw:1"), { type: "ping" });
    expect(peer.heardInShort.toSorted()).toEqual(["ack r2", "pong r3"]);
  });

  test("refuses with its own code, and what follows goes on", async () => {
    const rude = { code: "rude", description: "Be nice.", fault: "client", retry: false } as const;
    const testNode = nodeWith(({ data }) => {
      if (data === "x") throw new TailwireError(rude);
      return data;
    });
    const peer = await testNode.openPeer();
    await peer.say(named("x"), named("y"));
    expect(peer.heard).toMatchObject([
      { type: "error", re: "x", ...rude },
      { type: "ack", re: "y" },
    ]);
    expect(await logOf(testNode)).toEqual(["y"]);
  });

  test("[PUB-12] that refuses for now holds what follows until it takes the same", async () => {
    let full = true;
    const busy = { code: "busy", description: "Wait.", fault: "server", retry: true } as const;
    const testNode = nodeWith(async ({ data }) => {
      if (full && data === "x") throw new TailwireError({ ...busy, retryAfterMs: 700 });
      return Promise.resolve(data);
    });
    const peer = await testNode.openPeer();
    await peer.say(named("x"), named("y"));
    expect(peer.heard).toMatchObject([
      { re: "x", code: "busy", retry: true, retryAfterMs: 700 },
      { re: "y", code: "held", retry: true },
    ]);
    full = false;
    await peer.say(named("x"), named("y"));
    expect(await logOf(testNode)).toEqual(["x", "y"]);
  });

  test("that throws is internal, and nothing is logged", async () => {
    const testNode = nodeWith(() => {
      throw new Error("the password is 1234");
    });
    const peer = await testNode.openPeer();
    await peer.say(publish(1));
    expect(peer.heardInShort).toEqual(["error r1 internal"]);
    expect(peer.socket.written.join("")).not.toContain("1234");
    expect(testNode.errors).toHaveLength(1);
    expect(await logOf(testNode)).toEqual([]);
  });

  test("that never says anything is unavailable after hookMs, and what follows is held", async () => {
    let stuck = true;
    const testNode = nodeWith(({ data }) => (stuck ? new Promise(() => undefined) : data));
    const peer = await testNode.openPeer();
    await peer.say(named("x"), named("y"));
    await testNode.clock.advance(testNode.limits.hookMs - 1);
    expect(peer.heard).toEqual([]);
    await testNode.clock.advance(1);
    expect(peer.heardInShort).toEqual(["error x unavailable", "error y held"]);
    stuck = false;
    await peer.say(named("x"), named("y"));
    expect(await logOf(testNode)).toEqual(["x", "y"]);
  });

  test.each([
    ["undefined", undefined],
    ["a function", () => 1],
    ["a bigint", 1n],
  ])("that returns %s, which isn't JSON, refuses, and nothing is logged", async (_, value) => {
    const testNode = nodeWith(() => value);
    const peer = await testNode.openPeer();
    await peer.say(publish(1));
    expect(peer.heard).toMatchObject([{ type: "error", re: "r1", code: "internal" }]);
    expect(await logOf(testNode)).toEqual([]);
  });

  test("may return null, false or nothing of what came", async () => {
    const values = [null, false, 0, ""];
    const testNode = nodeWith(({ data }) => values[data as number]);
    const peer = await testNode.openPeer();
    await peer.say(...values.map((_, index) => publish(index)));
    expect(await logOf(testNode)).toEqual(values);
  });

  test("that says yes after the connection has gone, or was closed, changes nothing", async () => {
    let go: () => void = () => undefined;
    const testNode = nodeWith(
      ({ data }) =>
        new Promise((resolve) => {
          go = () => resolve(data);
        }),
    );
    for (const end of ["gone", "closed"]) {
      const peer = await testNode.openPeer(end);
      await peer.say(publish(end));
      if (end === "gone") peer.connection.gone();
      else peer.connection.close("disconnected");
      go();
      await testNode.clock.settle();
      expect(peer.heard).toEqual([]);
    }
    expect(await logOf(testNode)).toEqual([]);
  });

  test("[PUB-4] that gives something else each time doesn't make a repeat another publication", async () => {
    let calls = 0;
    const testNode = nodeWith(({ data }) => ({ data, call: (calls += 1) }));
    const numbers = { sequence: 1, settled: 0 };
    const peer = await testNode.openPeer();
    await peer.say({ ...named("x"), ...numbers });
    const again = { ...numbers, repeat: { ageMs: 1 } };
    await peer.say({ ...named("x"), ...again }, { ...named("x", "else"), ...again });
    expect(peer.heard).toMatchObject([
      { type: "ack", position: { offset: 1 } },
      { type: "ack", position: { offset: 1 }, duplicate: true },
      { type: "error", code: "id_conflict" },
    ]);
    expect(await logOf(testNode)).toEqual([{ data: "x", call: 1 }]);
  });

  test("[PUB-5] that changed its mind doesn't refuse what is in the log", async () => {
    const mind = { isStrict: false };
    const testNode = await changingNode(mind);
    const peer = await testNode.openPeer();
    await peer.say(numbered("x", 1, 0));
    mind.isStrict = true;
    peer.forget();
    await peer.say(
      repeated("x", 1),
      repeated("x", 1, "else"),
      repeated("y", 2),
      numbered("z", 3, 0),
    );
    expect(peer.heard).toMatchObject([
      { type: "ack", re: "x", position: { offset: 1 }, duplicate: true },
      { type: "error", re: "x", code: "id_conflict" },
      { type: "error", re: "y", code: "indeterminate", retry: false },
      { type: "error", re: "z", code: "rude" },
    ]);
    expect(peer.heard[2]).toHaveProperty("description", expect.stringContaining("rude"));
    // None of them holds up what follows.
    mind.isStrict = false;
    await peer.say(numbered("w", 4, 3));
    expect(peer.heardInShort.at(-1)).toBe("ack w");
    expect(await logOf(testNode)).toEqual(["x", "w"]);
  });

  test("[PUB-14] that refuses what was overtaken leaves no doubt of it", async () => {
    const mind = { isStrict: false };
    const testNode = await changingNode(mind);
    const peer = await testNode.openPeer();
    await peer.say(numbered("y", 2, 0));
    mind.isStrict = true;
    await peer.say(repeated("x", 1));
    expect(peer.heardInShort).toEqual(["ack y", "error x overtaken"]);
  });

  test("[PUB-5] that refuses what the log can't be asked of is tried again", async () => {
    let away = false;
    const testNode = new TestNode({
      channels: {
        "room:{id}": {
          onPublish: () => {
            throw rude();
          },
        },
      },
      wrapBroker: (broker) =>
        changed(broker, (log) => ({
          append: (batch) =>
            away ? Promise.reject(tailwireError("unavailable")) : log.append(batch),
        })),
    });
    await testNode.clock.advance(10);
    const peer = await testNode.openPeer();
    away = true;
    await peer.say(repeated("x", 1));
    expect(peer.heard).toMatchObject([{ code: "unavailable", retry: true }]);
    away = false;
    await peer.say(repeated("x", 1));
    expect(peer.heardInShort.at(-1)).toBe("error x indeterminate");
  });

  test("doesn't see what the server publishes itself", async () => {
    const testNode = nodeWith(() => "changed");
    await testNode.node.publish("room:1", "said", "as it was");
    expect(await logOf(testNode)).toEqual(["as it was"]);
    expect(JsonText.of("as it was").bytes).toBe(11);
  });

  test("[AUTH-11] isn't asked about what isn't allowed, and a fresh token counts when it is done", async () => {
    let allowed = false;
    let calls = 0;
    let go: () => void = () => undefined;
    const testNode = new TestNode({
      application: { authorize: () => allowed },
      channels: {
        "room:{id}": {
          onPublish: ({ data }) => {
            calls += 1;
            return new Promise((resolve) => {
              go = () => resolve(data);
            });
          },
        },
      },
    });
    const peer = await testNode.openPeer();
    await peer.say(publish(1));
    expect([calls, peer.heardInShort]).toEqual([0, ["error r1 forbidden"]]);
    allowed = true;
    await peer.say({ type: "authenticate", token: "ada" });
    await peer.say(publish(2));
    allowed = false;
    await peer.say({ type: "authenticate", token: "ada" });
    go();
    await testNode.clock.settle();
    expect([calls, peer.heardInShort.at(-1)]).toEqual([1, "error r3 forbidden"]);
  });

  test("[AUTH-11, PUB-5] a permission that was taken away doesn't hide what is in the log", async () => {
    let allowed = true;
    const testNode = new TestNode({ application: { authorize: () => allowed } });
    const peer = await testNode.openPeer();
    await peer.say(numbered("x", 1, 0));
    allowed = false;
    await peer.say({ type: "authenticate", token: "ada" });
    peer.forget();
    await peer.say(repeated("x", 1), repeated("y", 2), repeated("z", 3, "z", "nowhere"));
    expect(peer.heardInShort.toSorted()).toEqual([
      "ack x",
      "error y indeterminate",
      "error z indeterminate",
    ]);
  });
});
