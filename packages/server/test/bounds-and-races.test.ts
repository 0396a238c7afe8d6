// Bounds that hold whatever a client asks for, and answers that come later than expected.
import { expect, test } from "vitest";
import { JsonText, jsonCodec } from "@tailwire/protocol";
import type { Append, Broker } from "@tailwire/server/broker-contract";
import { DEFAULT_RETENTION } from "@tailwire/server/core";
import { changed, SimulatedClock } from "@tailwire/simulation";
import { Deadlines } from "../src/support/deadlines.ts";
import { encodePage, EncodedTail } from "../src/delivery/encoded-tail.ts";
import { Retained } from "../src/log/retained.ts";
import { TestNode, publicationAt, publish, simulatedPorts, subscribe } from "./harness.ts";
import { FakeLog } from "./log/fake-log.ts";
import { testLog } from "./log/log-harness.ts";
import { memoryContext } from "./brokers/memory-context.ts";

const entry = (id: string, more: Partial<Append> = {}): Append => ({
  id,
  producer: { id: "ada", generation: 1, sequence: 1, settled: 0, fingerprint: 1 },
  publisher: "ada",
  event: "said",
  data: JsonText.of(id),
  notAfter: Infinity,
  ...more,
});

test("slices from every offset are not all kept", () => {
  const everything = { count: 9_999, bytes: Infinity, maxAgeMs: Infinity };
  const tail = new Retained(everything, { offset: 0, id: null });
  for (let offset = 1; offset <= 4_000; offset += 1) tail.add(publicationAt(offset));
  const options = { epoch: "e", sliceBytesMax: 65_536, startOffset: 0 };
  const encoded = new EncodedTail(simulatedPorts(), jsonCodec, "room:1", options);
  const slices = Array.from({ length: 4_000 }, (_, offset) => encoded.sliceAfter(offset, tail));
  const kept = slices.filter((slice, offset) => encoded.sliceAfter(offset, tail) === slice);
  const bytes = kept.reduce((sum, slice) => sum + (slice?.frame.length ?? 0), 0);
  expect(bytes).toBeLessThanOrEqual(6 * 65_536);
});

test("a page's limit counts bytes, in scripts of three bytes a character too", () => {
  const [first, ...rest] = [1, 2, 3, 4].map((offset) =>
    publicationAt(offset, { data: JsonText.of("漢".repeat(15_000)) }),
  );
  if (first === undefined) throw new Error("no publications");
  const page = encodePage(simulatedPorts(), jsonCodec, "room:1", "e", [first, ...rest], 65_536);
  expect(page.count).toBe(1);
  expect(page.frame.length).toBeLessThanOrEqual(65_536);
});

test("a tail that opens after its deadline is closed again", async () => {
  const { broker, log, clock } = testLog();
  broker.gates.tail.closed = true;
  const failed = log.open().catch(() => "late");
  await clock.advance(1_000);
  expect(await failed).toBe("late");
  broker.gates.tail.open();
  await clock.settle();
  await log.open();
  log.close();
  expect(broker.listeners.size).toBe(0);
});

test("a deadline that nobody moves is met once", async () => {
  const clock = new SimulatedClock();
  const deadlines = new Deadlines(clock);
  let calls = 0;
  const due = {
    dueAt: Infinity,
    filedAt: null,
    onDue: () => {
      calls += 1;
      if (calls > 100) deadlines.clear(due);
    },
  };
  deadlines.set(due, 1_000);
  await clock.advance(10_000);
  expect(calls).toBe(1);
});

test("[PUB-7] a fence stands for dedupeMs after the higher generation has appended", async () => {
  const { broker, clock, dedupeMs } = memoryContext();
  const log = broker.log("room:1", DEFAULT_RETENTION);
  const by = (generation: number, sequence: number, id = "ada") => ({
    producer: { id, generation, sequence, settled: 0, fingerprint: 1 },
  });
  await log.append([entry("a")]);
  await clock.advance(dedupeMs);
  await log.append([entry("x", by(1, 1, "bob"))]);
  await clock.advance(dedupeMs - 1);
  await log.append([entry("b", by(2, 2))]);
  await clock.advance(dedupeMs - 1);
  const [late] = await log.append([entry("c", by(1, 3))]);
  expect(late).toEqual({ kind: "refused", code: "fenced" });
});

test("a publish that waits behind a slow subscribe isn't appended once its connection is gone", async () => {
  const appended: string[] = [];
  let open = (): void => undefined;
  const slowToOpen = (broker: Broker): Broker =>
    changed(broker, (log) => {
      const tail: typeof log.tail = async (listener) => {
        await new Promise<void>((resolve) => {
          open = resolve;
        });
        return log.tail(listener);
      };
      const append: typeof log.append = (batch) => {
        appended.push(...batch.map(({ id }) => id));
        return log.append(batch);
      };
      return { tail, append };
    });
  const testNode = new TestNode({ wrapBroker: slowToOpen });
  const peer = await testNode.openPeer();
  await peer.say(subscribe(), publish(1));
  peer.connection.gone();
  open();
  await testNode.clock.settle();
  expect(appended).toEqual([]);
  expect(testNode.node.channels).toBe(0);
});

test("[FLOW-1] what is logged while an empty page waits for its socket is sent when that has drained", async () => {
  const log = new FakeLog();
  log.grow(3);
  const testNode = new TestNode({
    wrapBroker: () => ({
      capabilities: { durable: true },
      onState: () => undefined,
      close: () => Promise.resolve(),
      log: () => log,
    }),
  });
  await (await testNode.openPeer()).say(subscribe());
  // Two that this node hasn't heard of yet: what follows them is asked of the broker.
  log.grow(2);
  const bob = await testNode.openPeer("bob");
  bob.socket.completes = false;
  const start = { epoch: "e1", offset: 5, id: "p5" };
  await bob.say({ type: "subscribe", channel: "room:1", start });
  await testNode.clock.settle();
  log.push(log.grow(1));
  await testNode.clock.settle();
  bob.socket.completes = true;
  await bob.drain();
  expect(bob.heardInShort).toEqual(["ack r1", "publication 6", "caughtup"]);
});

test("a cursor under a newer epoch than its node knows makes the node look, and doesn't spin", async () => {
  const log = new FakeLog();
  log.grow(3);
  const testNode = new TestNode({
    wrapBroker: () => ({
      capabilities: { durable: true },
      onState: () => undefined,
      close: () => Promise.resolve(),
      log: () => log,
    }),
  });
  await (await testNode.openPeer()).say(subscribe());
  log.epoch = "e2";
  log.lineage.add("e1");
  const read = log.read.bind(log);
  let reads = 0;
  log.read = (after, limit) => {
    reads += 1;
    return reads > 200 ? new Promise(() => undefined) : read(after, limit);
  };
  const bob = await testNode.openPeer("bob");
  await bob.say({
    type: "subscribe",
    channel: "room:1",
    start: { epoch: "e1", offset: 2, id: "p2" },
  });
  await testNode.clock.settle();
  expect(bob.heardInShort).toEqual(["ack r1", "publication 3", "caughtup"]);
  expect(reads).toBeLessThan(10);
});

test("an append that the broker still works on isn't overtaken by the next, however late it is", async () => {
  const { broker, log, clock } = testLog();
  broker.gates.append.closed = true;
  const codeOf = (error: { code: string }): string => error.code;
  const append = async (one: Append): Promise<unknown> => log.append(one);
  const first = append(entry("a")).catch(codeOf);
  const second = append(entry("b", { notAfter: clock.monotonic() + 1_000 })).catch(codeOf);
  await clock.advance(3_000);
  expect(broker.mostInProgress).toBe(1);
  expect(await Promise.all([first, second])).toEqual(["indeterminate", "expired"]);
  broker.gates.append.open();
  const third = log.append(entry("c"));
  await clock.advance(100);
  expect(await third).toMatchObject({ kind: "appended" });
});
