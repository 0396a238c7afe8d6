// A node's view of a log: whatever becomes of pushes, its tail is the log's end without a hole.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Log } from "../../src/log/log.ts";
import { publicationAt } from "../harness.ts";
import { UNAVAILABLE } from "./fake-log.ts";
import { LIMITS, testLog as testNode } from "./log-harness.ts";

/** Offsets that the tail holds. */
const held = (log: Log): readonly number[] =>
  [...(log.tail?.after(log.tail.edge) ?? [])].map(({ offset }) => offset);

const upTo = (last: number, first = 1): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe("pushes", () => {
  test("what is pushed in order is taken without a read", async () => {
    const { broker, log, growths } = testNode();
    await log.open();
    broker.push(broker.grow(2));
    broker.push(broker.grow(1));
    expect(held(log)).toEqual([1, 2, 3]);
    expect(growths()).toBe(2);
    expect(broker.reads).toEqual([]);
  });

  test("a push that comes twice, or late, is dropped", async () => {
    const { broker, log, clock, growths } = testNode();
    await log.open();
    const first = broker.grow(2);
    const second = broker.grow(1);
    for (const push of [first, second, first, second]) broker.push(push);
    await clock.settle();
    expect(held(log)).toEqual([1, 2, 3]);
    expect(growths()).toBe(2);
  });

  test("a push that is partly known gives the rest", async () => {
    const { broker, log } = testNode();
    await log.open();
    const all = broker.grow(4);
    broker.push(all.slice(0, 2));
    broker.push(all);
    expect(held(log)).toEqual([1, 2, 3, 4]);
    expect(broker.reads).toEqual([]);
  });

  test("after a lost push the log is read from the last position that is certain", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.push(broker.grow(1));
    broker.grow(3);
    broker.push(broker.grow(1));
    await clock.settle();
    expect(broker.reads[0]).toEqual({ epoch: "e1", offset: 1, id: "p1" });
    expect(held(log)).toEqual(upTo(5));
  });

  test("a lost last push is found when the broker suspects that something was missed", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.grow(3);
    expect(held(log)).toEqual([]);
    for (const listener of broker.listeners) listener.suspect();
    await clock.settle();
    expect(held(log)).toEqual([1, 2, 3]);
  });

  test("while one read is in progress no second one begins, and one follows it", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.gates.read.closed = true;
    broker.grow(1);
    for (let round = 0; round < 5; round += 1) broker.push(broker.grow(1).slice(0, 1));
    await clock.settle();
    expect(broker.reads.length).toBe(1);
    broker.gates.read.open();
    await clock.settle();
    expect(held(log)).toEqual(upTo(6));
  });

  test("pushes that come during a read are kept, and join what it brings", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.gates.read.closed = true;
    broker.grow(1);
    for (let round = 0; round < 5; round += 1) broker.push(broker.grow(2));
    await clock.settle();
    broker.gates.read.open();
    await clock.settle();
    expect(held(log)).toEqual(upTo(11));
    expect(broker.reads).toHaveLength(1);
  });

  test("pushes join what a read brings behind a gap, from a log that keeps one", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.gates.read.closed = true;
    broker.grow(9);
    broker.trim(8);
    broker.push(broker.grow(1));
    await clock.settle();
    broker.push(broker.grow(1));
    broker.trim(10);
    broker.gates.read.open();
    await clock.settle();
    expect(held(log)).toEqual([9, 10, 11]);
    expect(broker.reads).toHaveLength(1);
  });

  test("a gap that pushes have bridged meanwhile leaves the tail as it is", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.push(broker.grow(2));
    broker.gates.read.closed = true;
    const all = broker.grow(4);
    broker.trim(5);
    log.suspect();
    broker.push(all);
    broker.gates.read.open();
    await clock.settle();
    expect(held(log)).toEqual(upTo(6));
  });

  test("pushes beyond what a tail may hold aren't kept, and are read", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.gates.read.closed = true;
    broker.grow(1);
    for (let round = 0; round < 10_000; round += 1) broker.push(broker.grow(1));
    await clock.settle();
    broker.gates.read.open();
    await clock.settle();
    expect(log.lastOffset).toBe(10_001);
    expect(broker.reads.length).toBeGreaterThan(1);
  });

  test("a log of many pages is read to its end", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.grow(2_500);
    broker.push(broker.grow(1));
    await clock.settle();
    expect(held(log)).toEqual(upTo(2_501));
  });

  test("a read that fails is tried again, and pushes meanwhile are not forgotten", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.failures.read.push(UNAVAILABLE(), UNAVAILABLE());
    broker.grow(1);
    broker.push(broker.grow(1));
    await clock.advance(249);
    expect(held(log)).toEqual([]);
    await clock.advance(251);
    expect(held(log)).toEqual([1, 2]);
    expect(clock.pending).toBe(0);
  });

  test("a read without an answer is given up, and tried again", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.gates.read.closed = true;
    broker.grow(1);
    broker.push(broker.grow(1));
    await clock.advance(LIMITS.appendMs);
    broker.gates.read.closed = false;
    await clock.advance(250);
    expect(held(log)).toEqual([1, 2]);
  });

  test("pushes that are lost, doubled, late or out of order leave the tail whole", async () => {
    const fate = fc.constantFrom("push", "lose", "double", "late", "suspect", "settle");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fate, fc.integer({ min: 1, max: 3 }))), async (steps) => {
        const { broker, log, clock } = testNode();
        await log.open();
        const late: (readonly ReturnType<typeof publicationAt>[])[] = [];
        for (const [what, count] of steps) {
          if (what === "settle") await clock.settle();
          else if (what === "suspect") for (const one of broker.listeners) one.suspect();
          else {
            const grown = broker.grow(count);
            if (what === "late") late.unshift(grown);
            if (what === "push" || what === "double") broker.push(grown);
            if (what === "double") broker.push(grown);
          }
        }
        for (const grown of late) broker.push(grown);
        broker.push(broker.grow(1));
        await clock.settle();
        expect(held(log)).toEqual(upTo(broker.last));
      }),
    );
  });
});

describe("opening", () => {
  test("takes what was pushed before its position was known", async () => {
    const { broker, log, clock } = testNode();
    broker.gates.tail.closed = true;
    const opening = log.open();
    await clock.settle();
    broker.push(broker.grow(2));
    broker.gates.tail.open();
    await opening;
    await clock.settle();
    expect(held(log)).toEqual([1, 2]);
    expect(broker.reads).toEqual([]);
  });

  test("it begins at the tail's position, and what lies before is not held", async () => {
    const { broker, log } = testNode();
    broker.grow(3);
    await log.open();
    expect([log.epoch, log.lastOffset]).toEqual(["e1", 3]);
    expect(log.holds({ epoch: "e1", offset: 3, id: "p3" })).toBe(true);
    expect(log.holds({ epoch: "e1", offset: 2, id: "p2" })).toBe(false);
    expect(log.holds({ epoch: "e2", offset: 3, id: "p3" })).toBe(false);
  });

  test("what is pushed before the tail's position is known is read afterwards", async () => {
    const { broker, log, clock } = testNode();
    broker.gates.tail.closed = true;
    const opened = log.open();
    broker.push(broker.grow(2));
    broker.gates.tail.open();
    // Also in the moment between the broker's answer and its arrival here.
    broker.push(broker.grow(1));
    await opened;
    await clock.settle();
    expect(held(log)).toEqual([1, 2, 3]);
  });

  test("a tail that fails is unavailable, and opening again may succeed", async () => {
    const { broker, log } = testNode();
    broker.failures.tail.push(UNAVAILABLE());
    await expect(log.open()).rejects.toMatchObject({ code: "unavailable" });
    await log.open();
    expect(broker.listeners.size).toBe(1);
  });

  test("a log that was closed while it opened follows nothing", async () => {
    const { broker, log, clock } = testNode();
    broker.gates.tail.closed = true;
    const opened = log.open();
    log.close();
    broker.gates.tail.open();
    await opened;
    await clock.settle();
    expect(broker.listeners.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("a closed log follows nothing, and reads no more", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.failures.read.push(UNAVAILABLE());
    broker.grow(1);
    broker.push(broker.grow(1));
    await clock.settle();
    log.close();
    await clock.advance(10_000);
    expect(broker.listeners.size).toBe(0);
    expect(broker.reads.length).toBe(1);
    expect(clock.pending).toBe(0);
  });
});

describe("a new epoch", () => {
  test("[DEL-7] that continues the old one goes on at the same offset", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.push(broker.grow(3));
    broker.epoch = "e2";
    broker.lineage.add("e1");
    broker.push(broker.grow(2));
    await clock.settle();
    expect([log.epoch, log.tail?.edge, held(log)]).toEqual(["e2", 3, [4, 5]]);
    expect(broker.reads[0]).toEqual({ epoch: "e1", offset: 3, id: "p3" });
  });

  test("that continues nothing begins anew where the broker says", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.push(broker.grow(5));
    broker.epoch = "e2";
    broker.publications = [];
    broker.push(broker.grow(2));
    await clock.settle();
    expect([log.epoch, log.tail?.edge, held(log)]).toEqual(["e2", 0, [1, 2]]);
  });

  test("a push of the old epoch changes nothing any more", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    const old = [publicationAt(1), publicationAt(2)];
    broker.epoch = "e2";
    broker.push(broker.grow(1));
    await clock.settle();
    broker.push(old, "e1");
    await clock.settle();
    expect([log.epoch, held(log)]).toEqual(["e2", [1]]);
  });

  test("a tail that the broker has trimmed goes on after the gap", async () => {
    const { broker, log, clock } = testNode();
    await log.open();
    broker.push(broker.grow(2));
    broker.grow(10);
    broker.trim(9);
    broker.push(broker.grow(1));
    await clock.settle();
    expect([log.tail?.edge, held(log)]).toEqual([9, [10, 11, 12, 13]]);
  });
});

test.each(["the same page", "the same gap"])(
  "a broker that gives %s for ever is asked again after a wait, not in a loop",
  async (what) => {
    const { broker, log, clock } = testNode();
    await log.open();
    const all = broker.grow(2);
    broker.push(all);
    const end = { epoch: "e1", offset: 2, id: "p2" };
    const gap = { reason: "trimmed", from: end, to: end, continuesAfter: end, lost: 0 } as const;
    broker.read = async (after) => {
      broker.reads.push(after);
      return what === "the same gap"
        ? { kind: "gap", gap, publications: [] }
        : { kind: "publications", epoch: "e1", publications: all };
    };
    log.suspect();
    await clock.settle();
    expect(broker.reads).toHaveLength(1);
    await clock.advance(1_000);
    expect(broker.reads.length).toBeLessThan(6);
    expect(held(log)).toEqual([1, 2]);
    log.close();
  },
);

test("a tail that the broker has shown to be behind it places nobody until it is read", async () => {
  const { broker, log, clock } = testNode();
  await log.open();
  broker.push(broker.grow(2));
  const old = { epoch: "e1", offset: 2, id: "p2" };
  expect(log.holds(old)).toBe(true);
  broker.grow(3);
  broker.gates.read.closed = true;
  const { position } = await log.start("latest");
  expect(position.offset).toBe(5);
  expect(log.holds(old)).toBe(false);
  broker.gates.read.open();
  await clock.settle();
  expect(held(log)).toEqual(upTo(5));
  expect(log.holds(old)).toBe(true);
});
