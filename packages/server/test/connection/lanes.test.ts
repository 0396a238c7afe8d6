// Lanes keep what is asked of one channel in order, and let channels pass each other.
import { expect, test } from "vitest";
import { SimulatedClock } from "@tailwire/simulation";
import { Lanes } from "../../src/connection/lanes.ts";
import { Turns } from "../../src/support/turns.ts";
import { TestNode, publish, type Said, subscribe } from "../harness.ts";

const lanesOf = (): Lanes =>
  new Lanes({
    node: { turns: new Turns(new SimulatedClock()) },
    input: { account: () => undefined, paid: () => Promise.resolve() },
    output: { emptied: () => Promise.resolve() },
  });

/** A step that ends when the test says so, and what has happened. */
function steps() {
  const done: string[] = [];
  const finish = new Map<string, () => void>();
  const step = (name: string) => async (): Promise<void> => {
    done.push(`${name} begins`);
    await new Promise<void>((resolve) => finish.set(name, resolve));
    done.push(`${name} ends`);
  };
  const end = async (name: string): Promise<void> => {
    finish.get(name)?.();
    for (let round = 0; round < 10; round += 1) await Promise.resolve();
  };
  return { done, step, end };
}

test("a step on an empty lane runs at once", () => {
  const lanes = lanesOf();
  const done: string[] = [];
  lanes.run("a", () => void done.push("one"));
  lanes.run("a", () => void done.push("two"));
  expect(done).toEqual(["one", "two"]);
});

test("[SUB-7] a step waits for those before it on its lane, not for others", async () => {
  const { done, step, end } = steps();
  const lanes = lanesOf();
  lanes.run("a", step("a1"));
  lanes.run("a", step("a2"));
  lanes.run("b", step("b1"));
  expect(done).toEqual(["a1 begins", "b1 begins"]);
  await end("b1");
  await end("a1");
  await end("a2");
  expect(done.slice(2)).toEqual(["b1 ends", "a1 ends", "a2 begins", "a2 ends"]);
});

test("a lane is empty again when its steps are done", async () => {
  const { done, step, end } = steps();
  const lanes = lanesOf();
  lanes.run("a", step("a1"));
  lanes.run("a", () => void done.push("a2"));
  await end("a1");
  lanes.run("a", () => void done.push("a3 at once"));
  expect(done).toEqual(["a1 begins", "a1 ends", "a2", "a3 at once"]);
});

test("a step that is added while its lane is emptied still comes last", async () => {
  const { done, step, end } = steps();
  const lanes = lanesOf();
  lanes.run("a", step("a1"));
  lanes.run("a", () => {
    done.push("a2");
    lanes.run("a", () => void done.push("a4"));
  });
  lanes.run("a", () => void done.push("a3"));
  await end("a1");
  expect(done.slice(2)).toEqual(["a2", "a3", "a4"]);
});

test("lanes have any name", () => {
  const lanes = lanesOf();
  const done: string[] = [];
  for (const name of ["__proto__", "constructor", ""]) lanes.run(name, () => void done.push(name));
  expect(done).toEqual(["__proto__", "constructor", ""]);
});

const unsubscribe = (channel = "room:1"): Said => ({ type: "unsubscribe", channel });

test("[SUB-7] subscribe, publish and unsubscribe of one message are answered in that order", async () => {
  const peer = await new TestNode().openPeer();
  await peer.say(subscribe(), unsubscribe(), subscribe(), unsubscribe(), unsubscribe());
  expect(peer.heardInShort).toEqual([
    "ack r1",
    "ack r2",
    "ack r3",
    "ack r4",
    "error r5 not_subscribed",
  ]);
});

test("[SUB-6] a second subscribe is refused, also while the first is in progress", async () => {
  const peer = await new TestNode().openPeer();
  await peer.say(subscribe(), subscribe());
  await peer.say(subscribe());
  expect(peer.heardInShort.filter((heard) => heard.startsWith("error"))).toEqual([
    "error r2 already_subscribed",
    "error r3 already_subscribed",
  ]);
});

test("[SUB-8] a subscribe beyond the limit is refused, and one less makes room", async () => {
  const peer = await new TestNode({ limits: { subscriptionsMax: 2 } }).openPeer();
  await peer.say(subscribe("room:1"), subscribe("room:2"), subscribe("room:3"));
  await peer.say(unsubscribe("room:1"));
  await peer.say(subscribe("room:3"));
  const answers = peer.heardInShort.filter((heard) => heard !== "caughtup");
  expect(answers.toSorted()).toEqual([
    "ack r1",
    "ack r2",
    "ack r4",
    "ack r5",
    "error r3 limit_exceeded",
  ]);
});

test("[SUB-5] nothing of a channel follows the ack of its unsubscribe", async () => {
  const testNode = new TestNode();
  const peer = await testNode.openPeer();
  await peer.say(subscribe());
  peer.forget();
  for (let n = 0; n < 20; n += 1) void testNode.node.publish("room:1", "said", n);
  await peer.say(unsubscribe());
  for (let n = 0; n < 20; n += 1) void testNode.node.publish("room:1", "said", n);
  await testNode.clock.advance(1_000);
  expect(peer.heardInShort.at(-1)).toBe("ack r1");
});

test("[PUB-8] publications are appended in the order in which they came", async () => {
  const testNode = new TestNode();
  const peer = await testNode.openPeer();
  await peer.say(subscribe(), ...Array.from({ length: 30 }, (_, n) => publish(n)));
  const data = peer.heard.flatMap((heard) => (heard.type === "publication" ? [heard.data] : []));
  expect(data).toEqual(Array.from({ length: 30 }, (_, n) => n));
});
