// onPublish: what the application makes of a publication before it is logged.
import { describe, expect, test } from "vitest";
import { JsonText, TailwireError } from "@tailwire/protocol";
import type { ChannelOptions } from "@tailwire/server/core";
import { Bench, type Peer, publish, type Said, subscribe } from "../bench.ts";

type OnPublish = NonNullable<ChannelOptions["onPublish"]>;

function benchWith(onPublish: OnPublish): Bench {
  return new Bench({ channels: { "room:{id}": { onPublish }, "raw:{id}": {} } });
}

const named = (id: string, data: unknown = id): Said => ({ ...publish(data), id });

/** The data of the channel's log, in order. */
async function logOf(bench: Bench): Promise<readonly unknown[]> {
  const reader: Peer = await bench.openPeer("reader");
  await reader.say(subscribe());
  reader.connection.gone();
  return reader.heard.flatMap((message) => (message.type === "publication" ? [message.data] : []));
}

describe("[PUB-13] onPublish", () => {
  test("is told who publishes what where, and what it returns is logged", async () => {
    const seen: unknown[] = [];
    const bench = benchWith((publication) => {
      seen.push(publication);
      return { text: String(publication.data).toUpperCase(), by: publication.user.id };
    });
    const peer = await bench.openPeer();
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
    expect(await logOf(bench)).toEqual([{ text: "HI", by: "ada" }]);
  });

  test("may be asynchronous, and the order stays while it is slow", async () => {
    const bench: Bench = benchWith(
      ({ data }) =>
        new Promise((resolve) => bench.clock.after(data as number, () => resolve(data))),
    );
    const peer = await bench.openPeer();
    const delays = [300, 10, 200, 0, 50];
    await peer.say(...delays.map((ms) => publish(ms)));
    await bench.clock.advance(1_000);
    expect(peer.heardInShort).toEqual(["ack r1", "ack r2", "ack r3", "ack r4", "ack r5"]);
    expect(await logOf(bench)).toEqual(delays);
  });

  test("that is slow on one channel doesn't hold up another", async () => {
    const bench = benchWith(() => new Promise(() => undefined));
    const peer = await bench.openPeer();
    await peer.say(publish(1), publish(2, "raw:1"), { type: "ping" });
    expect(peer.heardInShort.toSorted()).toEqual(["ack r2", "pong r3"]);
  });

  test("refuses with its own code, and what follows goes on", async () => {
    const rude = { code: "rude", description: "Be nice.", fault: "client", retry: false } as const;
    const bench = benchWith(({ data }) => {
      if (data === "x") throw new TailwireError(rude);
      return data;
    });
    const peer = await bench.openPeer();
    await peer.say(named("x"), named("y"));
    expect(peer.heard).toMatchObject([
      { type: "error", re: "x", ...rude },
      { type: "ack", re: "y" },
    ]);
    expect(await logOf(bench)).toEqual(["y"]);
  });

  test("[PUB-12] that refuses for now holds what follows until it takes the same", async () => {
    let full = true;
    const busy = { code: "busy", description: "Wait.", fault: "server", retry: true } as const;
    const bench = benchWith(async ({ data }) => {
      if (full && data === "x") throw new TailwireError({ ...busy, retryAfterMs: 700 });
      return Promise.resolve(data);
    });
    const peer = await bench.openPeer();
    await peer.say(named("x"), named("y"));
    expect(peer.heard).toMatchObject([
      { re: "x", code: "busy", retry: true, retryAfterMs: 700 },
      { re: "y", code: "held", retry: true },
    ]);
    full = false;
    await peer.say(named("x"), named("y"));
    expect(await logOf(bench)).toEqual(["x", "y"]);
  });

  test("that throws is internal, and nothing is logged", async () => {
    const bench = benchWith(() => {
      throw new Error("the password is 1234");
    });
    const peer = await bench.openPeer();
    await peer.say(publish(1));
    expect(peer.heardInShort).toEqual(["error r1 internal"]);
    expect(peer.socket.written.join("")).not.toContain("1234");
    expect(bench.errors).toHaveLength(1);
    expect(await logOf(bench)).toEqual([]);
  });

  test("that never says anything is unavailable after hookMs, and what follows is held", async () => {
    let stuck = true;
    const bench = benchWith(({ data }) => (stuck ? new Promise(() => undefined) : data));
    const peer = await bench.openPeer();
    await peer.say(named("x"), named("y"));
    await bench.clock.advance(bench.limits.hookMs - 1);
    expect(peer.heard).toEqual([]);
    await bench.clock.advance(1);
    expect(peer.heardInShort).toEqual(["error x unavailable", "error y held"]);
    stuck = false;
    await peer.say(named("x"), named("y"));
    expect(await logOf(bench)).toEqual(["x", "y"]);
  });

  test.each([
    ["undefined", undefined],
    ["a function", () => 1],
    ["a bigint", 1n],
  ])("that returns %s, which isn't JSON, refuses, and nothing is logged", async (_, value) => {
    const bench = benchWith(() => value);
    const peer = await bench.openPeer();
    await peer.say(publish(1));
    expect(peer.heard).toMatchObject([{ type: "error", re: "r1", code: "internal" }]);
    expect(await logOf(bench)).toEqual([]);
  });

  test("may return null, false or nothing of what came", async () => {
    const values = [null, false, 0, ""];
    const bench = benchWith(({ data }) => values[data as number]);
    const peer = await bench.openPeer();
    await peer.say(...values.map((_, index) => publish(index)));
    expect(await logOf(bench)).toEqual(values);
  });

  test("that says yes after the connection has gone, or was closed, changes nothing", async () => {
    let go: () => void = () => undefined;
    const bench = benchWith(
      ({ data }) =>
        new Promise((resolve) => {
          go = () => resolve(data);
        }),
    );
    for (const end of ["gone", "closed"]) {
      const peer = await bench.openPeer(end);
      await peer.say(publish(end));
      if (end === "gone") peer.connection.gone();
      else peer.connection.close("disconnected");
      go();
      await bench.clock.settle();
      expect(peer.heard).toEqual([]);
    }
    expect(await logOf(bench)).toEqual([]);
  });

  test("[PUB-4] that gives something else each time doesn't make a repeat another publication", async () => {
    let calls = 0;
    const bench = benchWith(({ data }) => ({ data, call: (calls += 1) }));
    const numbers = { sequence: 1, settled: 0 };
    const peer = await bench.openPeer();
    await peer.say({ ...named("x"), ...numbers });
    const again = { ...numbers, repeat: { ageMs: 1 } };
    await peer.say({ ...named("x"), ...again }, { ...named("x", "else"), ...again });
    expect(peer.heard).toMatchObject([
      { type: "ack", position: { offset: 1 } },
      { type: "ack", position: { offset: 1 }, duplicate: true },
      { type: "error", code: "id_conflict" },
    ]);
    expect(await logOf(bench)).toEqual([{ data: "x", call: 1 }]);
  });

  test("doesn't see what the server publishes itself", async () => {
    const bench = benchWith(() => "changed");
    await bench.node.publish("room:1", "said", "as it was");
    expect(await logOf(bench)).toEqual(["as it was"]);
    expect(JsonText.of("as it was").bytes).toBe(11);
  });

  test("[AUTH-11] isn't asked about what isn't allowed, and a fresh token counts when it is done", async () => {
    let allowed = false;
    let calls = 0;
    let go: () => void = () => undefined;
    const bench = new Bench({
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
    const peer = await bench.openPeer();
    await peer.say(publish(1));
    expect([calls, peer.heardInShort]).toEqual([0, ["error r1 forbidden"]]);
    allowed = true;
    await peer.say({ type: "authenticate", token: "ada" });
    await peer.say(publish(2));
    allowed = false;
    await peer.say({ type: "authenticate", token: "ada" });
    go();
    await bench.clock.settle();
    expect([calls, peer.heardInShort.at(-1)]).toEqual([1, "error r3 forbidden"]);
  });
});
