/**
 * Cases of tail: what is pushed to those who follow a log, and from where.
 *
 * They expect pushes in order, but not when or in what pieces.
 */
import { AGAIN, ALL, LogUnderTest, expectPushes } from "./log-under-test.ts";
import { LOST_PUSH_MS } from "../../log/broker.ts";
import type { BrokerCase } from "./case.ts";
import { equal, holds, publicationsOf } from "./expect.ts";

/** Following a log. */
export const TAIL_CASES: readonly BrokerCase[] = [
  {
    name: "tail pushes what is appended after its position, in order, to everybody",
    async run(context) {
      const tested = new LogUnderTest(context);
      const [before] = await tested.add("before");
      const tails = [await tested.follow(), await tested.follow()];
      await tested.add("a", "b");
      await tested.log.append([tested.entry("a", AGAIN), tested.entry("c")]);
      await new LogUnderTest(context).outcome("d", { producer: "bob" });
      for (const tail of tails) {
        equal(tail.position, before, "the tail's position");
        await expectPushes(context, tail, ["a", "b", "c", "d"]);
        equal([...tail.epochs], [before?.epoch], "the epoch of pushes");
        const read = publicationsOf(await tested.log.read(tail.position, ALL));
        equal(tail.publications, read, "what was pushed, against what is read");
      }
    },
  },
  {
    name: "tail pushes nothing after close, and goes on for others",
    async run(context) {
      const tested = new LogUnderTest(context);
      const [closed, open] = [await tested.follow(), await tested.follow()];
      await tested.add("a");
      await expectPushes(context, closed, ["a"]);
      closed.close();
      await tested.add("b");
      await expectPushes(context, open, ["a", "b"]);
      equal(closed.ids, ["a"], "what was pushed to the closed one");
    },
  },
  {
    name: "a push that is lost is suspected within 2 s, and then read",
    async run(context) {
      const tested = new LogUnderTest(context);
      const elsewhere = new LogUnderTest({ ...context, broker: context.other });
      const tail = await tested.follow();
      context.losePushes?.();
      const began = context.monotonic();
      await elsewhere.add("a");
      await context.until(() => tail.ids.length + tail.suspicions() > 0);
      holds(context.monotonic() - began <= LOST_PUSH_MS, "it was suspected, or came, within 2 s");
      equal(await tested.idsAfter(tail.position), ["a"], "what is read then");
    },
  },
  {
    name: "a new log can be followed from its position before anything is appended",
    async run(context) {
      const tested = new LogUnderTest(context);
      const tail = await tested.follow();
      await tested.add("a");
      equal(await tested.idsAfter(tail.position), ["a"], "what follows its position");
      await expectPushes(context, tail, ["a"]);
    },
  },
];
