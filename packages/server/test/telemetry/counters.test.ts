// A node's counters, and the events that the tracer of a user's connections is told.
import { describe, expect, test } from "vitest";
import type { TraceEntry } from "../../src/telemetry/traces.ts";
import { TestNode, hello, publish, type Said, subscribe } from "../harness.ts";

describe("a node's counters", () => {
  test("tell what came in, was published, was delivered, and was refused", async () => {
    const testNode = new TestNode();
    const ada = await testNode.openPeer();
    const bob = await testNode.openPeer("bob");
    await bob.say(subscribe());
    await ada.say(publish(1), publish(2), publish(3), subscribe("nowhere"));
    await testNode.node.publish("room:1", "said", 4);
    await testNode.clock.settle();
    const eve = await testNode.openPeer("eve");
    await eve.say({ ...subscribe(), start: { epoch: "none", offset: 1, id: null } } as Said);
    const { totals } = testNode.node.counters;
    expect(totals).toMatchObject({
      accepted: 3,
      messagesIn: 9,
      published: 4,
      delivered: 8,
      gaps: 1,
      errors: { forbidden: 1 },
      closed: {},
    });
    expect(totals.bytesIn).toBeGreaterThan(500);
    expect([
      testNode.node.connections,
      testNode.node.channels,
      testNode.node.subscriptions,
    ]).toEqual([3, 1, 2]);
  });

  test("count a repeat as no publication", async () => {
    const testNode = new TestNode();
    const ada = await testNode.openPeer();
    const one = { ...publish(1), id: "x.1", sequence: 1, settled: 0 } as Said;
    await ada.say(one, { ...one, repeat: { ageMs: 1 } } as Said);
    expect(ada.heard[1]).toMatchObject({ duplicate: true });
    expect(testNode.node.counters.published).toBe(1);
  });

  test("tell why connections were closed", async () => {
    const testNode = new TestNode();
    const peers = [await testNode.openPeer(), await testNode.openPeer("bob"), testNode.peer("eve")];
    testNode.node.disconnect("ada");
    await peers[1]?.sayText("{}\n{}\n{}\n");
    await peers[2]?.say({ type: "ping" });
    expect(testNode.node.counters.totals.closed).toEqual({
      disconnected: 1,
      bad_message: 1,
      protocol_violation: 1,
    });
  });

  test("keep a hundred names of errors, and count the rest together", () => {
    const { counters } = new TestNode().node;
    for (let index = 0; index < 150; index += 1) counters.error(`own_${index}`);
    const { errors } = counters.totals;
    expect(Object.keys(errors)).toHaveLength(101);
    expect(errors["other"]).toBe(50);
  });
});

describe("a trace", () => {
  async function traced(): Promise<{
    testNode: TestNode;
    entries: TraceEntry[];
    stop: () => void;
  }> {
    const testNode = new TestNode();
    const entries: TraceEntry[] = [];
    const stop = testNode.node.traces.add("ada", (entry) => entries.push(entry));
    return { testNode, entries, stop };
  }

  test("tells of every message of one user's connections, both ways", async () => {
    const { testNode, entries } = await traced();
    const ada = testNode.peer();
    await ada.say(hello(), subscribe(), publish("secret data"));
    const bob = await testNode.openPeer("bob");
    await bob.say(subscribe());
    const told = entries.map(({ direction, type }) => `${direction} ${type}`);
    expect(told.toSorted()).toEqual(
      [
        "in hello",
        "out welcome",
        "in subscribe",
        "out ack",
        "in publish",
        "out ack",
        "out publications",
        "out caughtup",
      ].toSorted(),
    );
    expect(entries.every(({ user }) => user === "ada")).toBe(true);
    expect(entries[0]).toMatchObject({ client: null, fields: { generation: 1, id: "r1" } });
    const publications = entries.find(({ type }) => type === "publications");
    expect(publications?.fields).toMatchObject({ channel: "room:1", first: 1, last: 1, count: 1 });
  });

  test("has neither tokens nor data in it", async () => {
    const { testNode, entries } = await traced();
    const ada = testNode.peer();
    await ada.say(
      hello(),
      publish("secret data"),
      { type: "authenticate", token: "secret-token" },
      { type: "request", name: "add", data: "secret input" },
    );
    expect(entries.length).toBeGreaterThan(5);
    expect(JSON.stringify(entries)).not.toContain("secret");
  });

  test("ends when it is taken back, and one that throws harms nobody", async () => {
    const { testNode, entries, stop } = await traced();
    testNode.node.traces.add("ada", () => {
      throw new Error("the tracer's own");
    });
    const ada = await testNode.openPeer();
    stop();
    const before = entries.length;
    await ada.say({ type: "ping" });
    expect(ada.heardInShort).toEqual(["pong r1"]);
    expect(entries.length).toBe(before);
    expect(testNode.errors.length).toBeGreaterThan(0);
  });

  test("may take itself back, come again, and bring others: each is told of each message once", async () => {
    const { testNode, entries } = await traced();
    const ada = await testNode.openPeer();
    const { traces } = testNode.node;
    let [rearmed, brought] = [0, 0];
    const rearm = (): void => {
      const stop = traces.add("ada", () => {
        rearmed += 1;
        stop();
        rearm();
      });
    };
    const stopBringing = traces.add("ada", () => {
      stopBringing();
      traces.add("ada", () => {
        brought += 1;
      });
    });
    rearm();
    const before = entries.length;
    await ada.say({ type: "ping" }, { type: "ping" });
    const told = entries.length - before;
    expect([told, rearmed, brought]).toEqual([4, 4, 3]);
  });

  test("that is added twice is told twice, and each is taken back by itself", async () => {
    const { testNode } = await traced();
    const ada = await testNode.openPeer();
    let told = 0;
    const tracer = (): void => {
      told += 1;
    };
    const stops = [
      testNode.node.traces.add("ada", tracer),
      testNode.node.traces.add("ada", tracer),
    ];
    await ada.say({ type: "ping" });
    stops[0]?.();
    await ada.say({ type: "ping" });
    expect(told).toBe(6);
    expect(() => testNode.node.traces.add("ada", undefined as unknown as () => void)).toThrow(
      TypeError,
    );
  });

  test.each(["disconnect", "unsubscribe", "subscribe"] as const)(
    "may %s its user while something is written to it",
    async (deed) => {
      const { testNode } = await traced();
      const ada = await testNode.openPeer();
      await ada.say(subscribe());
      const stop = testNode.node.traces.add("ada", ({ type }) => {
        if (type !== "publications") return;
        stop();
        if (deed === "disconnect") testNode.node.disconnect("ada");
        else testNode.node[deed]("ada", "room:1");
      });
      ada.forget();
      await ada.say(publish(1));
      await ada.say(publish(2));
      const after = { disconnect: [], unsubscribe: ["unsubscribed", "ack r2"] };
      expect(ada.heardInShort).toEqual([
        "ack r1",
        "publication 1",
        ...(deed === "subscribe" ? ["ack r2", "publication 2"] : after[deed]),
      ]);
      expect(testNode.errors).toEqual([]);
    },
  );
});
