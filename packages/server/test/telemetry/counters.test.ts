// A node's counters, and the events that the tracer of a user's connections is told.
import { describe, expect, test } from "vitest";
import type { TraceEntry } from "../../src/telemetry/traces.ts";
import { Bench, hello, publish, type Said, subscribe } from "../bench.ts";

describe("a node's counters", () => {
  test("tell what came in, was published, was delivered, and was refused", async () => {
    const bench = new Bench();
    const ada = await bench.openPeer();
    const bob = await bench.openPeer("bob");
    await bob.say(subscribe());
    await ada.say(publish(1), publish(2), publish(3), subscribe("nowhere"));
    await bench.node.publish("room:1", "said", 4);
    await bench.clock.settle();
    const eve = await bench.openPeer("eve");
    await eve.say({ ...subscribe(), start: { epoch: "none", offset: 1, id: null } } as Said);
    const { totals } = bench.node.counters;
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
    expect([bench.node.connections, bench.node.channels, bench.node.subscriptions]).toEqual([
      3, 1, 2,
    ]);
  });

  test("count a repeat as no publication", async () => {
    const bench = new Bench();
    const ada = await bench.openPeer();
    const one = { ...publish(1), id: "x.1", sequence: 1, settled: 0 } as Said;
    await ada.say(one, { ...one, repeat: { ageMs: 1 } } as Said);
    expect(ada.heard[1]).toMatchObject({ duplicate: true });
    expect(bench.node.counters.published).toBe(1);
  });

  test("tell why connections were closed", async () => {
    const bench = new Bench();
    const peers = [await bench.openPeer(), await bench.openPeer("bob"), bench.peer("eve")];
    bench.node.disconnect("ada");
    await peers[1]?.sayText("{}\n{}\n{}\n");
    await peers[2]?.say({ type: "ping" });
    expect(bench.node.counters.totals.closed).toEqual({
      disconnected: 1,
      bad_message: 1,
      protocol_violation: 1,
    });
  });

  test("keep a hundred names of errors, and count the rest together", () => {
    const { counters } = new Bench().node;
    for (let index = 0; index < 150; index += 1) counters.error(`own_${index}`);
    const { errors } = counters.totals;
    expect(Object.keys(errors)).toHaveLength(101);
    expect(errors["other"]).toBe(50);
  });
});

describe("a trace", () => {
  async function traced(): Promise<{ bench: Bench; entries: TraceEntry[]; stop: () => void }> {
    const bench = new Bench();
    const entries: TraceEntry[] = [];
    const stop = bench.node.traces.add("ada", (entry) => entries.push(entry));
    return { bench, entries, stop };
  }

  test("tells of every message of one user's connections, both ways", async () => {
    const { bench, entries } = await traced();
    const ada = bench.peer();
    await ada.say(hello(), subscribe(), publish("secret data"));
    const bob = await bench.openPeer("bob");
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
    const { bench, entries } = await traced();
    const ada = bench.peer();
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
    const { bench, entries, stop } = await traced();
    bench.node.traces.add("ada", () => {
      throw new Error("the tracer's own");
    });
    const ada = await bench.openPeer();
    stop();
    const before = entries.length;
    await ada.say({ type: "ping" });
    expect(ada.heardInShort).toEqual(["pong r1"]);
    expect(entries.length).toBe(before);
    expect(bench.errors.length).toBeGreaterThan(0);
  });

  test("may take itself back, come again, and bring others: each is told of each message once", async () => {
    const { bench, entries } = await traced();
    const ada = await bench.openPeer();
    const { traces } = bench.node;
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
    const { bench } = await traced();
    const ada = await bench.openPeer();
    let told = 0;
    const tracer = (): void => {
      told += 1;
    };
    const stops = [bench.node.traces.add("ada", tracer), bench.node.traces.add("ada", tracer)];
    await ada.say({ type: "ping" });
    stops[0]?.();
    await ada.say({ type: "ping" });
    expect(told).toBe(6);
    expect(() => bench.node.traces.add("ada", undefined as unknown as () => void)).toThrow(
      TypeError,
    );
  });

  test.each(["disconnect", "unsubscribe", "subscribe"] as const)(
    "may %s its user while something is written to it",
    async (deed) => {
      const { bench } = await traced();
      const ada = await bench.openPeer();
      await ada.say(subscribe());
      const stop = bench.node.traces.add("ada", ({ type }) => {
        if (type !== "publications") return;
        stop();
        if (deed === "disconnect") bench.node.disconnect("ada");
        else bench.node[deed]("ada", "room:1");
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
      expect(bench.errors).toEqual([]);
    },
  );
});
