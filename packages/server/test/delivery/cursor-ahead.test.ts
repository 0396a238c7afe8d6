// A cursor that stands ahead of its node's tail, since the broker knew more than had been pushed.
import { expect, test } from "vitest";
import { changed } from "@tailwire/simulation";
import { TestNode, hello, subscribe } from "../harness.ts";
import { FakeLog } from "../log/fake-log.ts";

/** A second subscriber at the broker's last publication, which its node hasn't heard of yet. */
async function ahead() {
  const log = new FakeLog();
  const testNode = new TestNode({
    wrapBroker: (broker) => ({ ...changed(broker, () => ({})), log: () => log }),
  });
  const first = testNode.peer("bob");
  await first.say(hello(), subscribe());
  log.grow(2);
  log.gates.read.closed = true;
  const peer = testNode.peer("ada");
  await peer.say(hello(), { type: "subscribe", channel: "room:1", start: "latest" });
  return { log, testNode, peer };
}

test("[SUB-2] what is published while it reads that there is nothing more is delivered", async () => {
  const { log, testNode, peer } = await ahead();
  log.grow(1);
  log.push(log.publications);
  await testNode.clock.settle();
  log.gates.read.open();
  await testNode.clock.settle();
  expect(peer.heardInShort).toContain("publication 3");
});

test("[DEL-8] it is caught up where nothing was published meanwhile", async () => {
  const { log, testNode, peer } = await ahead();
  log.gates.read.open();
  await testNode.clock.settle();
  expect(peer.heardInShort.at(-1)).toContain("caughtup");
  log.grow(1);
  log.push(log.publications);
  await testNode.clock.settle();
  expect(peer.heardInShort).toContain("publication 3");
});
