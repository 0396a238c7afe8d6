// While its broker is down a node refuses publications at once and asks for nothing; then it reads on.
import { describe, expect, test } from "vitest";
import { JsonText } from "@tailwire/protocol";
import type { Broker, BrokerState } from "@tailwire/server/broker-contract";
import { publish, subscribe, TestNode } from "../harness.ts";
import { FakeLog } from "./fake-log.ts";
import { LIMITS, testLog } from "./log-harness.ts";

const UP: BrokerState = { kind: "up" };
const DOWN: BrokerState = { kind: "down", reason: "connect ECONNREFUSED 10.0.0.5:6379" };

const REFUSED = { code: "unavailable", retry: true };

function entry(id: string) {
  const data = JsonText.of(id);
  return { id, producer: null, publisher: null, event: "said", data, notAfter: Infinity };
}

/** Lets promises settle, and says whether this one has. */
async function settledOf(promise: Promise<unknown>, settle: () => Promise<void>): Promise<boolean> {
  let isSettled = false;
  const note = (): void => {
    isSettled = true;
  };
  promise.then(note, note);
  await settle();
  return isSettled;
}

describe("while the broker is down", () => {
  test("an append is refused at once, and the broker isn't asked", async () => {
    const { broker, log, clock, enter } = testLog();
    enter(DOWN);
    const before = clock.monotonic();
    let retries = 0;
    const append = (): unknown => log.append(entry("a"), () => (retries += 1));
    expect(append).toThrow(expect.objectContaining(REFUSED));
    expect(retries).toBe(1);
    expect([broker.batches, clock.monotonic() - before]).toEqual([[], 0]);
    enter(UP);
    await expect(log.append(entry("a"))).resolves.toMatchObject({ kind: "appended" });
  });

  test("[PUB-12] an append that waits behind one on its way is refused, and that one isn't overtaken", async () => {
    const { broker, log, clock, enter } = testLog();
    broker.gates.append.closed = true;
    const [first, second] = [log.append(entry("a")), log.append(entry("b"))];
    enter(DOWN);
    await expect(second).rejects.toMatchObject(REFUSED);
    enter(UP);
    const third = log.append(entry("c"));
    await clock.settle();
    expect(broker.batches).toEqual([["a"]]);
    broker.gates.append.open();
    expect(await Promise.all([first, third])).toMatchObject([
      { position: { offset: 1 } },
      { position: { offset: 2 } },
    ]);
  });

  test.each(["read", "readBack", "start", "open"] as const)(
    "%s waits, and goes on when it is up",
    async (what) => {
      const { broker, log, clock, enter } = testLog();
      broker.grow(2);
      enter(DOWN);
      const begun = { epoch: "e1", offset: 0, id: null };
      const asked = {
        read: () => log.read(begun),
        readBack: () => log.readBack(null, 10),
        start: () => log.start("latest"),
        open: () => log.open(),
      }[what]();
      expect(await settledOf(asked, () => clock.advance(LIMITS.appendMs - 1))).toBe(false);
      expect([broker.reads.length, broker.listeners.size]).toEqual([0, 0]);
      enter(UP);
      expect(await settledOf(asked, () => clock.settle())).toBe(true);
      await asked;
      expect(clock.pending).toBe(0);
    },
  );

  test("a read that has waited for its deadline is unavailable, and isn't made up for", async () => {
    const { broker, log, clock, enter } = testLog();
    enter(DOWN);
    const read = log.read({ epoch: "e1", offset: 0, id: null });
    const failure = read.catch((error: unknown) => error);
    await clock.advance(LIMITS.appendMs);
    expect(await failure).toMatchObject(REFUSED);
    enter(UP);
    await clock.settle();
    expect(broker.reads).toEqual([]);
  });

  test("a tail that has to be read again waits for it, however long", async () => {
    const { broker, log, clock, enter } = testLog();
    await log.open();
    enter(DOWN);
    broker.grow(1);
    log.suspect();
    await clock.advance(60_000);
    expect(broker.reads).toEqual([]);
    enter(UP);
    await clock.advance(250);
    expect(log.lastOffset).toBe(1);
    expect(broker.reads.length).toBeLessThan(3);
    expect(clock.pending).toBe(0);
  });
});

test("when the broker is up again a log that is followed is read, without a push", async () => {
  const { broker, log, clock, enter } = testLog();
  await log.open();
  enter(DOWN);
  broker.grow(3);
  enter(UP);
  await clock.settle();
  expect(log.lastOffset).toBe(3);
  const reads = broker.reads.length;
  // Said twice it is no news.
  enter(UP);
  await clock.settle();
  expect(broker.reads).toHaveLength(reads);
});

/** A node whose broker goes down and up as the test says. */
function nodeInOutage() {
  const log = new FakeLog();
  let tell: (state: BrokerState) => void = () => undefined;
  const broker: Broker = {
    capabilities: { durable: true },
    log: () => log,
    onState: (listener) => {
      tell = listener;
      listener(DOWN);
    },
    close: () => Promise.resolve(),
  };
  const testNode = new TestNode({ wrapBroker: () => broker });
  return { log, testNode, enter: (state: BrokerState) => tell(state) };
}

test("a node whose broker is down from the start tells clients so, and its operator why", async () => {
  const { log, testNode, enter } = nodeInOutage();
  expect(testNode.node.link.state).toBe("down");
  const ada = await testNode.openPeer();
  await ada.say(publish(1), subscribe());
  expect(ada.heard).toMatchObject([{ type: "error", re: "r1", ...REFUSED }]);
  expect(JSON.stringify(ada.heard)).not.toContain("ECONNREFUSED");
  await expect(testNode.node.publish("room:1", "said", 2)).rejects.toMatchObject(REFUSED);
  enter(DOWN);
  log.grow(1);
  enter(UP);
  enter(UP);
  await testNode.clock.settle();
  expect(testNode.node.link.state).toBe("up");
  expect(ada.heardInShort.slice(1)).toEqual(["ack r2", "publication 1", "caughtup"]);
  expect(testNode.errors).toEqual([{ reason: DOWN.reason }]);
  expect(testNode.infos).toEqual(["the broker is up again"]);
});
