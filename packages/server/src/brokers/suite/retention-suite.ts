/**
 * Cases of retention: what a log keeps, by count, bytes and age, and what time does to it.
 *
 * A reader's answer about trimmed publications is in `read-suite.ts`.
 */
import type { Position } from "@tailwire/protocol";
import { publicationBytes } from "../../log/broker.ts";
import { ALL, LogUnderTest, expectPushes } from "./log-under-test.ts";
import { type BrokerCase, timeOf } from "./case.ts";
import { equal, publicationsOf } from "./expect.ts";

/** Retention: which publications a log keeps, and for how long. */
export const RETENTION_CASES: readonly BrokerCase[] = [
  {
    name: "retention by count keeps that many, the newest, and no more",
    async run(context) {
      const tested = new LogUnderTest(context, { count: 3 });
      await tested.addEach("abc");
      equal((await tested.ids()).join(""), "abc", "the log at its limit");
      await tested.addEach("defg");
      equal((await tested.ids()).join(""), "efg", "the log after it");
    },
  },
  {
    name: "retention by bytes keeps what fits",
    async run(context) {
      const bytes = publicationBytes(new LogUnderTest(context).entry("a")) * 3;
      const exact = new LogUnderTest(context, { bytes });
      await exact.addEach("abcde");
      equal((await exact.ids()).join(""), "cde", "a log that three fit exactly");
      const less = new LogUnderTest(context, { bytes: bytes - 1 }, "room:2");
      await less.addEach("abcde");
      equal((await less.ids()).join(""), "de", "a log that is a byte short");
    },
  },
  {
    name: "retention by bytes keeps the newest, however large it is",
    async run(context) {
      const bytes = publicationBytes(new LogUnderTest(context).entry("a"));
      const tested = new LogUnderTest(context, { bytes: bytes - 1 });
      await tested.addEach("abc");
      equal((await tested.ids()).join(""), "c", "a log that not even one fits");
      await tested.add("d");
      equal((await tested.ids()).join(""), "d", "the log after another");
    },
  },
  {
    name: "retention by age keeps what is young, and the log goes on where it was",
    needs: "time",
    async run(context) {
      const tested = new LogUnderTest(context, { maxAgeMs: 5_000 });
      await tested.add("a");
      await timeOf(context).advance(3_000);
      const [b] = await tested.add("b");
      await timeOf(context).advance(2_000);
      equal(await tested.ids(), ["a", "b"], "the log when a is 5 s old");
      await timeOf(context).advance(1);
      equal(await tested.ids(), ["b"], "the log when it is older");
      await timeOf(context).advance(5_000);
      equal(await tested.ids(), [], "the log when all are older");
      const latest = await tested.log.locate("latest");
      equal([latest.epoch, latest.offset], [b?.epoch, b?.offset], "latest");
      await tested.add("c");
      equal(await tested.idsAfter(b as Position), ["c"], "what follows b");
    },
  },
  {
    name: "[MSG-1] timestamps are the broker's, and never decrease though its clock goes back",
    needs: "time",
    async run(context) {
      const tested = new LogUnderTest(context, { maxAgeMs: Number.MAX_SAFE_INTEGER });
      const began = context.now();
      for (const [index, ms] of [5, -60_000, 7, 120_000, -3_600_000, 1].entries()) {
        await tested.add(`id ${index}`);
        timeOf(context).jump(ms);
      }
      const read = await tested.log.read(await tested.log.locate("earliest"), ALL);
      const stamps = publicationsOf(read).map(({ timestamp }) => timestamp - began);
      equal(
        stamps,
        [...stamps].toSorted((a, b) => a - b),
        "the timestamps",
      );
      equal(stamps[0], 0, "the first timestamp");
    },
  },
  {
    name: "a log that comes back after a long time is the old one, or has another epoch",
    needs: "time",
    async run(context) {
      const tested = new LogUnderTest(context, { maxAgeMs: 1_000 });
      const [a] = (await tested.add("a")) as [Position];
      await timeOf(context).advance(20 * context.dedupeMs + 600_000);
      const [b] = (await tested.add("b")) as [Position];
      if (b.epoch === a.epoch) equal(await tested.idsAfter(a), ["b"], "what follows a");
      else equal(await tested.gap(a), { reason: "epoch", lost: null, rest: "b" }, "the gap at a");
    },
  },
  {
    name: "a log that is followed is never forgotten",
    needs: "time",
    async run(context) {
      const tested = new LogUnderTest(context, { maxAgeMs: 1_000 });
      const tail = await tested.follow();
      await timeOf(context).advance(20 * context.dedupeMs + 600_000);
      await tested.add("a");
      await expectPushes(context, tail, ["a"]);
      equal([...tail.epochs], [tail.position.epoch], "the epoch");
      equal(await tested.idsAfter(tail.position), ["a"], "what follows the tail's position");
    },
  },
];
