/**
 * Cases of a broker's memory: which repeats it knows, and how long it remembers a producer.
 *
 * Appending without repeats is the append suite's.
 */
import type { Position } from "@tailwire/protocol";
import { AGAIN, LogUnderTest, LONG_AGO_MS } from "./log-under-test.ts";
import { type BrokerCase, timeOf } from "./case.ts";
import { equal, word } from "./expect.ts";

/** Repeats of publications, and producers that come back. */
export const MEMORY_CASES: readonly BrokerCase[] = [
  {
    name: "[PUB-5] a repeat that the broker would know is appended, once",
    async run(context) {
      const tested = new LogUnderTest(context);
      const { epoch } = await tested.log.locate("latest");
      const repeat = { ageMs: 0, epoch };
      equal(await tested.outcome("a", { repeat }), "new", "one under the log's epoch");
      equal(await tested.outcome("a", { repeat }), "duplicate", "the same again");
      equal(await tested.outcome("b", { repeat: { ageMs: 0 } }), "new", "one of just now");
      const known = { ageMs: LONG_AGO_MS, epoch: "another" };
      equal(await tested.outcome("b", { repeat: known }), "duplicate", "one that is known");
      equal(await tested.ids(), ["a", "b"], "the log");
    },
  },
  {
    name: "[PUB-5] a repeat from before the broker's memory is indeterminate, and isn't appended",
    async run(context) {
      const tested = new LogUnderTest(context);
      const repeat = { ageMs: LONG_AGO_MS };
      equal(await tested.outcome("a", { repeat }), "indeterminate", "one without an epoch");
      const other = { ...repeat, epoch: "another" };
      equal(await tested.outcome("a", { repeat: other }), "indeterminate", "one of another epoch");
      equal(await tested.ids(), [], "the log");
      equal(await tested.outcome("a"), "new", "one that is no repeat");
    },
  },
  {
    name: "[PUB-14] a repeat that its producer's next ones have overtaken is told so",
    async run(context) {
      const tested = new LogUnderTest(context);
      equal(await tested.outcome("b", { sequence: 2 }), "new", "the second");
      equal(await tested.outcome("a", { ...AGAIN, sequence: 1 }), "overtaken", "the first");
      equal(await tested.outcome("c", { ...AGAIN, sequence: 3 }), "new", "the third");
      equal(await tested.outcome("b", { ...AGAIN, sequence: 2 }), "duplicate", "a known one");
      const bobs = { ...AGAIN, producer: "bob", sequence: 1 };
      equal(await tested.outcome("d", bobs), "new", "another producer's");
      equal(await tested.outcome("a", { sequence: 1 }), "id_conflict", "one that is no repeat");
      equal(await tested.ids(), ["b", "c", "d"], "the log");
    },
  },
  {
    name: "[PUB-15] a repeat of what its producer has settled is indeterminate",
    async run(context) {
      const tested = new LogUnderTest(context);
      await tested.add("a", "b");
      equal(await tested.outcome("c", { settled: 1 }), "new", "one that settles the first");
      equal(await tested.outcome("a", AGAIN), "indeterminate", "the first");
      equal(await tested.outcome("b", AGAIN), "duplicate", "the second");
      equal(await tested.outcome("d", { settled: 0 }), "new", "one that settles less");
      equal(await tested.outcome("a", AGAIN), "indeterminate", "the first, after that");
      equal(await tested.ids(), ["a", "b", "c", "d"], "the log");
    },
  },
  {
    name: "[PUB-5] a repeat that is so old that its id may be forgotten is indeterminate",
    needs: "time",
    async run(context) {
      const tested = new LogUnderTest(context);
      const [first] = (await tested.add("a")) as [Position];
      const ageMs = 3 * context.dedupeMs;
      await timeOf(context).advance(ageMs);
      const { epoch } = first;
      equal(await tested.outcome("a", { repeat: { ageMs } }), "indeterminate", "a repeat");
      equal(await tested.outcome("a", { repeat: { ageMs, epoch } }), "indeterminate", "with epoch");
      equal(await tested.ids(), ["a"], "the log");
    },
  },
  {
    name: "[PUB-4] a producer is remembered for dedupeMs, whatever comes between",
    needs: "time",
    async run(context) {
      const tested = new LogUnderTest(context);
      const step = context.dedupeMs / 8;
      const by = (time: number) => ({ ...AGAIN, producer: `producer ${time}` });
      // Producers at 24 ages, each asked for at the last moment it must be known.
      for (let now = 0; now < 32; now += 1) {
        const then = now - 8;
        if (now >= 8)
          equal(await tested.outcome(`at ${then}`, by(then)), "duplicate", "one at its end");
        if (now < 24) equal(await tested.outcome(`at ${now}`, by(now)), "new", "one");
        await timeOf(context).advance(now % 8 === 7 ? step - 8 : step);
      }
    },
  },
  {
    name: "[PUB-4] a producer that goes on is remembered with what it appended before",
    needs: "time",
    async run(context) {
      const tested = new LogUnderTest(context);
      await tested.add("a");
      await timeOf(context).advance(context.dedupeMs * 0.9);
      await tested.add("b");
      await timeOf(context).advance(context.dedupeMs * 0.9);
      equal(await tested.outcome("a", AGAIN), "duplicate", "its first");
      equal(await tested.outcome("c", { generation: 0 }), "fenced", "a lower generation");
    },
  },
  {
    name: "[PUB-4] an id outlives its publication",
    needs: "time",
    async run(context) {
      const tested = new LogUnderTest(context, { maxAgeMs: 10 });
      const [first] = await tested.add("a");
      await timeOf(context).advance(context.dedupeMs - 1);
      equal(await tested.ids(), [], "the log");
      const [again] = await tested.log.append([tested.entry("a", AGAIN)]);
      equal(again, { kind: "appended", position: first, duplicate: true }, "the repeat's result");
    },
  },
  {
    name: "what comes without a producer is appended each time, and counts for nobody",
    async run(context) {
      const tested = new LogUnderTest(context);
      const count = context.window + context.producersMax + 1;
      const ids = Array.from({ length: count }, () => "a");
      const nobodys = { producer: null, publisher: null };
      const results = await tested.log.append(ids.map((id) => tested.entry(id, nobodys)));
      equal([...new Set(results.map(word))], ["new"], "the results");
      equal(await tested.outcome("a", { ...nobodys, notAfter: -1 }), "expired", "a late one");
      equal(await tested.ids(), ids, "the log");
    },
  },
  {
    name: "[PUB-15] a producer with a window above what it settled is rate_limited",
    async run(context) {
      const tested = new LogUnderTest(context);
      const ids = Array.from({ length: context.window }, (_, index) => `id ${index}`);
      await tested.add(...ids);
      equal(await tested.outcome("more"), "rate_limited", "one more");
      for (const id of ids) equal(await tested.outcome(id, AGAIN), "duplicate", id);
      equal(await tested.outcome("b", { producer: "bob" }), "new", "another producer's");
      equal(await new LogUnderTest(context, {}, "room:2").outcome("a"), "new", "one elsewhere");
      equal(await tested.outcome("more", { settled: 1 }), "new", "one more that settles the first");
      equal(await tested.ids(), [...ids, "b", "more"], "the log");
    },
  },
  {
    name: "a log that remembers as many producers as it may refuses one more as rate_limited",
    needs: "time",
    async run(context) {
      const tested = new LogUnderTest(context);
      const producers = Array.from({ length: context.producersMax }, (_, index) => `p${index}`);
      const each = producers.map((producer) => tested.entry(`by ${producer}`, { producer }));
      await tested.log.append(each);
      const by = (producer: string | null) => tested.outcome(`one by ${producer}`, { producer });
      equal(await by("more"), "rate_limited", "one more's");
      equal(await by("p0"), "new", "another of one that is known");
      equal(await by(null), "new", "one of nobody");
      await timeOf(context).advance(context.dedupeMs - 1);
      equal(await by("more"), "rate_limited", "one more's, too early");
      await timeOf(context).advance(2 * context.dedupeMs);
      equal(await by("more"), "new", "one more's, when the others are forgotten");
    },
  },
];
